"""Long-running work in a separate thread, one job at a time. A job can be stopped, and reports its progress."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """The progress of a job."""

    id: int
    kind: str  # track, refill, export, import, open
    title: str
    first: int  # the frames that it processes
    last: int
    frame: int | None = None  # the last finished one
    done: int = 0
    total: int = 0
    rate: float | None = None  # frames per second
    left_s: float | None = None


class Job:
    """What a job's function receives, to report progress and to learn whether to stop."""

    def __init__(self, progress: Progress, tell: Callable[[], None]):
        self.progress, self._tell = progress, tell
        self._stop = threading.Event()
        self._began = time.monotonic()

    @property
    def stopped(self) -> bool:
        """Whether the user wants it to end after the current frame."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Asks the job to end soon."""
        self._stop.set()

    def expect(self, total: int) -> None:
        """Sets the number of frames to process."""
        self._began = time.monotonic()
        self._change(total=total)

    def advance(self, frame: int) -> None:
        """Reports a finished frame."""
        done = self.progress.done + 1
        seconds = max(1e-6, time.monotonic() - self._began)
        rate = done / seconds
        self._change(frame=frame, done=done, rate=rate, left_s=max(0, self.progress.total - done) / rate)

    def _change(self, **fields: Any) -> None:
        self.progress = Progress(**{**self.progress.__dict__, **fields})
        self._tell()


class JobRunner:
    """Runs one job at a time.

    tell: called on every change, from any thread. note: takes a level and a sentence for the user.
    """

    def __init__(self, tell: Callable[[], None], note: Callable[[str, str], None]):
        self._tell, self._note = tell, note
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._thread: threading.Thread | None = None
        self._count = 0

    @property
    def progress(self) -> Progress | None:
        """The progress of the running job; None if no job is running."""
        job = self._job
        return None if job is None else job.progress

    def start(self, kind: str, title: str, frames: tuple[int, int], function: Callable[[Job], str]) -> int:
        """Starts a job and returns its number.

        Args:
            kind: See `Progress`.
            title: What the user reads about it.
            frames: The first and last frame that it processes.
            function: Does the work, and returns a sentence that says how it ended. The user sees its errors; all but
                ValueError and OSError are logged with their traceback.

        Raises:
            BlockingIOError: If a job is running.
        """
        with self._lock:
            if self._job is not None:
                raise BlockingIOError(f"{self._job.progress.title} is under way: stop it first.")
            self._count += 1
            self._job = job = Job(Progress(self._count, kind, title, *frames), self._tell)
            self._thread = threading.Thread(target=self._run, args=(job, function), name=f"studio-{kind}", daemon=True)
            self._thread.start()
        self._tell()
        return job.progress.id

    def stop(self) -> None:
        """Asks the running job, if any, to end soon."""
        job = self._job
        if job is not None:
            job.stop()

    def close(self, seconds: float = 30) -> None:
        """Stops the job and waits until it has ended."""
        self.stop()
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _run(self, job: Job, function: Callable[[Job], str]) -> None:
        level, sentence = _outcome(job, function)
        self._job = None  # before the news of its end, which may start another job at once
        self._note(level, sentence)
        self._tell()


def _outcome(job: Job, function: Callable[[Job], str]) -> tuple[str, str]:
    """Does a job's work and returns how it ended: a level and a sentence for the user."""
    title = job.progress.title
    try:
        return "info", function(job)
    except (ValueError, OSError) as error:
        logger.warning("%s: %s", title, error)
        return "error", f"{title} failed: {error}"
    except MemoryError as error:
        logger.exception("%s", title)
        return "error", f"{title} failed, out of memory: {error}"
    except Exception as error:  # the page must keep working whatever happens in a job; the cause is logged
        logger.exception("%s", title)
        return "error", f"{title} failed because of a bug in LiVOS: {error}"
