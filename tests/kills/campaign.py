"""Kill trainings and evaluations at random moments, continue them, and compare with runs that were never stopped.

    python tests/kills/campaign.py training 200                # one process and its workers: SIGKILL, SIGTERM, Ctrl-C
    python tests/kills/campaign.py training 20 --processes 2   # torchrun and what it starts: SIGKILL
    python tests/kills/campaign.py evaluation 200 --seed 7

Ends with status 1, saying what was found, if a result differs from that of the uninterrupted run, a file with its final
name cannot be read, something half-written is left at the end, or a process outlives a kill. The last line is the
summary, as JSON.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kills.programs import PROGRAMS, Program
from kills.runs import TARGETS, Run

import livos.evaluation.run  # imported here, once, for the runs, which are copies of this process
import livos.training.trainer  # noqa: F401

KILLS_IN_A_RUN = 5  # before it may come to its end


@dataclass
class Findings:
    """What a campaign has found."""

    killed: Counter[str] = field(default_factory=Counter)
    while_writing: int = 0
    finished: int = 0
    longest: dict[str, float] = field(default_factory=dict)  # seconds until everything had ended, by what was killed
    faults: list[str] = field(default_factory=list)


def reference_of(program: Program) -> tuple[dict[str, object], float]:
    """What the program writes when nothing stops it, and the seconds that it takes."""
    begun, run = time.monotonic(), Run(program, "reference")
    while run.is_running():
        time.sleep(0.02)
    if run.status != 0:
        raise SystemExit(f"the uninterrupted run ended with status {run.status}:\n{run.log_path.read_text()}")
    return program.result("reference"), time.monotonic() - begun


def kill_and_continue(program: Program, name: str, seconds: float, chance: random.Random, findings: Findings) -> None:
    """Start the program and kill it, a few times; then let it end, and check what it leaves."""
    kills = 0
    while True:
        run = Run(program, name)
        if not wait_for_moment(program, name, run, chance, seconds if kills < KILLS_IN_A_RUN else None):
            break
        findings.while_writing += program.is_writing(name)
        target = chance.choice(TARGETS[program.num_processes > 1])
        faults, took = run.kill(target, chance)
        kills += 1
        findings.killed[target] += 1
        findings.longest[target] = max(findings.longest.get(target, 0.0), round(took, 1))
        for fault in [*faults, *program.unreadable(name)]:
            findings.faults.append(f"{name}, {target} killed: {fault}; its log ends:\n{end_of_log(run)}")
    if run.status != 0:
        findings.faults.append(f"{name} ended with status {run.status}; its log ends:\n{end_of_log(run)}")


def end_of_log(run: Run) -> str:
    return run.log_path.read_text(errors="replace")[-3000:]


def wait_for_moment(program: Program, name: str, run: Run, chance: random.Random, seconds: float | None) -> bool:
    """Whether the moment to kill has come: any, or when a file is being written. None: wait for the end."""
    writing, moment = chance.random() < 0.4, time.monotonic() + chance.uniform(0, 0.5 * (seconds or 0))
    while run.is_running():
        if seconds is not None and time.monotonic() > moment and (not writing or program.is_writing(name)):
            return True
        time.sleep(0.001 if writing else 0.01)
    return False


def campaign(program: Program, num_kills: int, seed: int) -> Findings:
    """At least this many kills, and what they did."""
    expected, seconds = reference_of(program)
    findings, chance = Findings(), random.Random(seed)
    while findings.killed.total() < num_kills and len(findings.faults) < 10:
        name = f"run{findings.finished}"
        kill_and_continue(program, name, seconds, chance, findings)
        findings.finished += 1
        found = program.result(name)
        if different := [key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)]:
            findings.faults.append(f"{name}: another result than without kills: {sorted(different)[:5]}")
        left = [str(path) for path in (program.root / name).rglob(".*")]
        findings.faults += [f"{name}: {path} is left at the end" for path in left]
    return findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", choices=sorted(PROGRAMS))
    parser.add_argument("kills", type=int, help="at least so many")
    parser.add_argument("--processes", type=int, default=1, help="that work together under torchrun (default: 1)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = PROGRAMS[options.program](Path(folder), options.processes)
        findings = campaign(program, options.kills, options.seed)
    for fault in findings.faults:
        print(fault)
    print(json.dumps({**vars(findings), "faults": len(findings.faults)}))
    return 1 if findings.faults else 0


if __name__ == "__main__":
    sys.exit(main())
