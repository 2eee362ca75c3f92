"""Atomic files: written under a temporary name in the same folder, then renamed."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ASIDE = re.compile(r"\..+\.(?P<process>[0-9]+)-[0-9]+\.part(\.[^.]+)?", re.DOTALL)
_being_written: set[str] = set()  # by this process; absolute


def path_aside(path: Path) -> Path:
    """The hidden name, with the same suffix, under which this thread writes what will be `path`. From now on,
    `clear_leftovers` in this process leaves it alone.
    """
    aside = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}.part{path.suffix}")
    _being_written.add(os.path.abspath(aside))
    return aside


@contextmanager
def written_aside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A hidden path in the folder of `path`, with the same suffix, to write to. It is renamed to `path` when the block
    succeeds, and deleted when the block raises. An OSError gets the name of `path` unless it names another file.
    """
    path = Path(path)
    aside = path_aside(path)
    try:
        yield aside
        os.replace(aside, path)
    except BaseException as error:
        with suppress(OSError):
            aside.unlink()
        if isinstance(error, OSError) and error.errno and str(error.filename) in ("None", str(aside)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        _being_written.discard(os.path.abspath(aside))


@contextmanager
def errors_named(path: str | os.PathLike[str]) -> Iterator[None]:
    """A block in which an OSError that names no file, as when a disk is full, gets this name."""
    try:
        yield
    except OSError as error:
        if error.errno and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def clear_leftovers(folder: str | os.PathLike[str], below: bool = False) -> None:
    """Deletes half-written files that killed programs have left in a folder: those of `path_aside` without an owner.

    Files that a running process of this machine writes are left alone. No other machine may write to the folder.

    Args:
        folder: The folder, which need not exist.
        below: Include all folders below.
    """
    for parent, folders, names in os.walk(os.path.abspath(folder)):
        if not below:
            folders.clear()
        for name in names:
            match, path = _ASIDE.fullmatch(name), os.path.join(parent, name)
            if match and path not in _being_written and not _is_written_by_another(int(match["process"])):
                with suppress(OSError):  # another process was faster; Windows does not delete open files
                    os.unlink(path)


def _is_written_by_another(process: int) -> bool:
    """Whether another process of that number is running; never on Windows, where open files cannot be deleted."""
    if process == os.getpid() or os.name == "nt":
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def copy_file(source: Path, target: Path) -> None:
    """Copies a file atomically."""
    with written_aside(target) as aside:
        shutil.copyfile(source, aside)
