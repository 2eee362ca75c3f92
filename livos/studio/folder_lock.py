"""One program at a time in a folder."""

from __future__ import annotations

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: two programs in one project are not noticed there
    fcntl = None  # type: ignore[assignment]


class FolderLock:
    """Held until `release`, or until the program ends, however it ends. Leaves nothing in the folder."""

    def __init__(self, folder: Path):
        """Raises BlockingIOError, with a sentence, if another program holds it, FileNotFoundError if there is none."""
        self._handle: int | None = None
        if fcntl is None:
            return
        self._handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            raise BlockingIOError(f"{folder} is open in another LiVOS Studio: close that first.") from error

    def release(self) -> None:
        """Lets others have it. May be called twice."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
