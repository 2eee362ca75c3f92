"""Processes that tests start: how they handle signals, which children they have, and whether they are gone."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc, which only Linux has")


class Leftover:
    """Garbage that only the collector of cycles finds. It notes which process frees it."""

    def __init__(self, note: Path) -> None:
        self.note, self.cycle = note, self

    def __del__(self) -> None:
        self.note.write_text(str(os.getpid()))


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Fails where the condition does not come true in that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {what}"
        time.sleep(0.02)


def answers_signals(process: int, signal_number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (caught,) = (int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(caught >> (signal_number - 1) & 1)


def children_of(process: int) -> list[int]:
    """The processes that a process has started, and those that they have started in turn."""
    children: list[int] = []
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            children += [int(number) for number in (thread / "children").read_text().split()]
    except OSError:  # it has just ended
        return []
    return children + [below for child in children for below in children_of(child)]


def is_alive(process: int) -> bool:
    """Whether a process is running, and not merely a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def end_all(processes: list[int]) -> None:
    """Kills what is left of the processes."""
    for process in processes:
        if is_alive(process):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
