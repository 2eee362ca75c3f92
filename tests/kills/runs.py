"""One run of a program: started, killed, and whether anything of it is left."""

import os
import random
import runpy
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from kills.programs import Program, environment
from processes import children_of, end_all, is_alive

SECONDS_TO_END = 60  # for everything of a run, after one of its processes was killed

TARGETS = {  # what is killed, by the number of processes that work together
    False: ("program", "everything", "worker", "SIGTERM", "SIGINT"),
    True: ("rank", "everything", "torchrun"),
}


class Run:
    """A running program and all that it has started."""

    def __init__(self, program: Program, name: str) -> None:
        self.log_path = program.root / f"{name}.log"
        self.status: int | None = None
        command = program.command(name)
        if program.num_processes == 1:
            self.process = _fork(command, program.root, self.log_path)
        else:
            with self.log_path.open("ab") as log:
                arguments = [sys.executable, *command]
                process = subprocess.Popen(arguments, cwd=program.root, env=environment(), stdout=log, stderr=log)
            self.process = process.pid
            process.returncode = 0  # it is waited for here

    def is_running(self) -> bool:
        if self.status is None:
            process, status = os.waitpid(self.process, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if process else None
        return self.status is None

    def kill(self, target: str, chance: random.Random) -> tuple[list[str], float]:
        """Kill one of TARGETS; returns what should not be and the seconds until everything had ended."""
        family = [self.process, *children_of(self.process)]
        begun = time.monotonic()
        if target in ("SIGTERM", "SIGINT"):
            os.kill(self.process, getattr(signal, target))
        else:
            for process in self._victims(target, family, chance):
                end_all([process])
        while any(map(is_alive, family)) and time.monotonic() - begun < SECONDS_TO_END:
            self.is_running()
            time.sleep(0.02)
        seconds = time.monotonic() - begun
        left = [process for process in family if is_alive(process)]
        end_all(left)
        while self.is_running():
            time.sleep(0.02)
        faults = [f"{len(left)} processes were left after {SECONDS_TO_END} s"] if left else []
        expected = {"SIGTERM": 143, "SIGINT": 130, "worker": 2}.get(target)
        if expected is not None and self.status not in (0, expected) and len(family) > 1:
            faults.append(f"ended with status {self.status} instead of {expected}")
        return faults, seconds

    def _victims(self, target: str, family: list[int], chance: random.Random) -> list[int]:
        if target == "everything":
            return family
        if target in ("program", "torchrun") or len(family) == 1:
            return family[:1]
        below = children_of(self.process) if target == "worker" else _direct_children(self.process)
        return [chance.choice(below or family[:1])]


def _direct_children(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def _fork(command: list[str], folder: Path, log_path: Path) -> int:
    """Run a script in a copy of this process, which has imported what takes seconds."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        os.setsid()
        log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(folder)
        sys.argv = command
        runpy.run_path(command[0], run_name="__main__")
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
