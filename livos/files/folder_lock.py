"""One program at a time in a folder."""

import errno
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

NAME = ".in-use"
_PATIENCE_SECONDS = 5.0
_CANNOT_LOCK = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_LOCKED_BYTE = 1 << 30  # on Windows nobody can read a locked byte: this one is beyond the text


@contextmanager
def folder_in_use(folder: Path, by: str, patience: float = _PATIENCE_SECONDS) -> Iterator[None]:
    """A block that locks the folder against other programs that use this lock. A missing folder is created.

    The operating system holds the lock, so a killed program leaves none behind. If the file system does not support
    locks, a warning says so and nothing is locked.

    Args:
        by: What works in the folder, for the message that others get, e.g. "a training".
        patience: Seconds to wait for a program that is just ending.

    Raises:
        BlockingIOError: If another program works in the folder; the message names it.
        OSError: If the folder cannot be created; the message names it.
    """
    make_folder(folder)
    path = folder / NAME
    file = _acquire(path, time.monotonic() + patience)
    try:
        file.truncate(0)
        file.write(f"{by}, process {os.getpid()} on {socket.gethostname()}, since {datetime.now():%Y-%m-%d %H:%M:%S}")
        file.flush()
        yield
    finally:
        with suppress(OSError):  # Windows does not delete open files: it stays there, which does no harm
            path.unlink()
        with suppress(OSError):  # a full disk, which is reported elsewhere
            file.close()


def make_folder(folder: Path) -> None:
    """Creates a folder to write to, unless it exists. Raises OSError, which names it, if that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise FileExistsError(f"{folder} is a file: expected a folder to write to, new or existing") from error
    except OSError as error:
        raise OSError(f"the folder {folder} cannot be created: {error.strerror or error}") from error


def _acquire(path: Path, deadline: float) -> IO[str]:
    """Opens and locks the file, waiting until the deadline if another program has it."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            _lock(file)
            if _is_in_place(file, path):
                return file
        except OSError as error:
            if error.errno in _CANNOT_LOCK:
                log.warning("%s: this disk has no locks, so a second program in the folder would go unnoticed", path)
                return file
            if time.monotonic() > deadline:
                file.close()
                raise BlockingIOError(
                    f"{path.parent} is in use by {_owner(path)}: wait until it has ended, or choose another folder"
                ) from error
        file.close()
        time.sleep(0.1)


def _lock(file: IO[str]) -> None:
    """Locks the file, or raises OSError immediately."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    file.seek(_LOCKED_BYTE)
    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    file.seek(0)


def _is_in_place(file: IO[str], path: Path) -> bool:
    """Whether the open file is still the one of that name, or was deleted by its previous owner."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _owner(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") or "another program"
    except OSError:  # it has just ended
        return "another program"
