"""Reads damaged inputs in processes with limits, and says what must not happen: see `problems_of`."""

import json
import os
import random
import re
import resource
import select
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

GIB = 2**30
SECONDS = 10  # of processor time that reading one input may take
PATIENCE = 90  # seconds of the clock, for inputs that wait for something


class Target(Protocol):
    """A kind of input and its reader."""

    name: str
    path: Path  # of the input

    def make(self, chance: random.Random) -> None:
        """Writes an input to `path`."""

    def read(self) -> str | None:
        """Reads it. Returns what is wrong although nothing was raised, or None."""


def problems_of(target: Target, seed: int, count: int) -> list[str]:
    """One text for each kind of problem with damaged inputs, with how often and with which input it happened.

    Problems are: a process ended by a signal, 10 s of processor time, 1 GiB more memory, an error that is neither a
    ValueError nor an OSError, one of these that does not name the file or is not one line of printable text, and what
    the target itself says is wrong.
    """
    verdicts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    often: Counter[str] = Counter()

    def note(number: int, verdict: str, detail: str) -> None:
        verdicts[verdict] += 1
        if verdict not in ("read", "refused"):
            kind = f"{verdict}: {re.sub(r'[0-9]+', '#', detail)[:100]}"
            often[kind] += 1
            examples.setdefault(kind, f"{verdict}: {detail} (input {number} of seed {seed})")

    number = 0
    while number < count:
        number = _read_in_child(target, seed, number, count, note)
    print(f"{target.name}: {count} damaged inputs, {verdicts['refused']} refused, {verdicts['read']} read")
    return [f"{target.name}: {often[kind]} times: {example}" for kind, example in examples.items()]


def _read_in_child(target: Target, seed: int, first: int, count: int, note: Callable[[int, str, str], None]) -> int:
    """Reads inputs in another process from number `first` on, until all are read or it ends; the next number."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            _read_all(target, seed, range(first, count), writer)
        finally:
            os._exit(0)
    os.close(writer)
    current, running, began, used = first, False, time.monotonic(), 0.0
    pending = b""
    try:
        while True:
            if select.select([reader], [], [], 0.5)[0]:
                data = os.read(reader, 1 << 16)
                if not data:
                    break
                *lines, pending = (pending + data).split(b"\n")
                for line in map(json.loads, lines):
                    if len(line) == 1:
                        current, running, began, used = line[0], True, time.monotonic(), _cpu_seconds(child)
                    else:
                        note(*line)
                        current, running = line[0] + 1, False
            elif running and (_cpu_seconds(child) - used > SECONDS or time.monotonic() - began > PATIENCE):
                os.kill(child, signal.SIGKILL)
                note(current, "hang", f"more than {SECONDS} s")
                return current + 1
    finally:
        os.close(reader)
        status = os.waitpid(child, 0)[1]
    if running:
        note(current, "crash", f"signal {os.WTERMSIG(status)}")
        return current + 1
    return current


def _read_all(target: Target, seed: int, numbers: range, writer: int) -> None:
    space = _status("VmSize") + 5 * GIB
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    for number in numbers:
        target.make(random.Random(f"{target.name} {seed} {number}"))
        os.write(writer, json.dumps([number]).encode() + b"\n")
        verdict, detail = _verdict(target)
        os.write(writer, json.dumps([number, verdict, detail[:400]]).encode() + b"\n")


def _verdict(target: Target) -> tuple[str, str]:
    before = _forget_highest_memory()
    try:
        wrong = target.read()
        verdict = ("wrong", wrong) if wrong else ("read", "")
    except (ValueError, OSError) as error:
        verdict = ("refused", str(error))
        if target.path.name not in str(error):
            verdict = "error without the path", f"{type(error).__name__}: {error}"
        elif not str(error).isprintable():  # neither several lines nor escape codes nor halves of characters
            verdict = "error that is no line of text", ascii(str(error))
    except BaseException as error:
        places = [f"{Path(frame.filename).name}:{frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
        verdict = "traceback", f"{type(error).__name__} in {places[-1]}: {error}"
    grown = _status("VmHWM") - before
    return verdict if grown < GIB else ("memory", f"{grown / GIB:.1f} GiB more ({verdict[0]})")


def _forget_highest_memory() -> int:
    """Bytes in use; from now on the peak is counted anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(key: str) -> int:
    """Bytes of this process, from Linux."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{key}:"))
    return 1024 * int(line.split()[1])


def _cpu_seconds(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
