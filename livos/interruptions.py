"""What a program does when it is told to stop: by Ctrl-C, by a signal, or because torchrun, which started it, is gone.

This module imports nothing that takes time, so that a program can react before its other imports begin. The exit status
of an interrupted program is the usual one: 128 plus the signal's number (130 after Ctrl-C, 143 after SIGTERM).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that tell a program to stop; Windows has no SIGHUP."""

_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 300  # for a process whose torchrun is gone to end by itself
_SAME_TIME_SECONDS = 1.0  # some programs send a signal twice: to a process and to its group


class Interrupted(KeyboardInterrupt):
    """A signal told the program to stop. The message includes `what` was lost or saved, if given."""

    def __init__(self, signal_number: int, what: str = "") -> None:
        super().__init__(f"interrupted by {signal.Signals(signal_number).name}{what and ': '}{what}")
        self.signal_number = signal_number

    @property
    def status(self) -> int:
        """The program's exit status."""
        return 128 + self.signal_number


class Told:
    """Whether the program was told to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._since = 0.0

    def note(self, signal_number: int) -> None:
        """Remembers the first signal. A later Ctrl-C raises Interrupted, since someone does not want to wait."""
        if self.signal_number is None:
            self.signal_number, self._since = signal_number, time.monotonic()
        elif signal_number == signal.SIGINT and time.monotonic() - self._since > _SAME_TIME_SECONDS:
            raise Interrupted(signal_number, "interrupted twice, so it stops without finishing properly")


def end_at_once_when_told() -> None:
    """Answers signals with one sentence and the exit status, as long as there is nothing to lose.

    A program calls this before its slow imports. It also watches torchrun, if that started this process.
    """

    def end(signal_number: int) -> None:
        name = signal.Signals(signal_number).name
        print(f"interrupted by {name} before any work began", file=sys.stderr, flush=True)
        os._exit(128 + signal_number)  # an exception could be lost within an import

    _answer_signals(end)
    if "TORCHELASTIC_RUN_ID" in os.environ:
        end_with_parent(_terminate)


@contextmanager
def raising_interrupted() -> Iterator[None]:
    """A block in which signals raise Interrupted in the main thread, as Ctrl-C raises KeyboardInterrupt."""

    def interrupt(signal_number: int) -> None:
        raise Interrupted(signal_number)

    with _answering_signals(interrupt):
        yield


@contextmanager
def noticing_signals() -> Iterator[Told]:
    """A block in which signals are only recorded, so that work can finish properly."""
    told = Told()
    with _answering_signals(told.note):
        yield told


def end_with_parent(end: Callable[[], None] = lambda: os._exit(1)) -> None:
    """Calls `end`, in a thread, as soon as the process that started this one is gone. Windows does not report this."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_POLL_SECONDS)
        end()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _terminate() -> None:
    """Ends as if torchrun, which is gone, had sent a signal."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE_SECONDS)
    os._exit(128 + signal.SIGTERM)


@contextmanager
def _answering_signals(answer: Callable[[int], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield
        return
    previous = _answer_signals(answer)
    try:
        yield
    finally:
        for signal_number, handler in previous.items():
            signal.signal(signal_number, handler)


def _answer_signals(answer: Callable[[int], None]) -> dict[int, Any]:
    """Installs handlers; signals that this process was started to ignore (nohup) stay ignored."""

    def handle(signal_number: int, frame: FrameType | None) -> None:
        answer(signal_number)

    heeded = [number for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    return {number: signal.signal(number, handle) for number in heeded}
