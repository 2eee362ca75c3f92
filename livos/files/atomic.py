"""Files that are complete whenever they have their name: written beside it, then renamed."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_aside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A hidden path beside `path`, of the same type, to write to. It takes the name of `path` when the block ends well,
    and is deleted when the block raises. An OSError is raised with the name of `path` unless it names another file.
    """
    path = Path(path)
    aside = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}.part{path.suffix}")
    try:
        yield aside
        os.replace(aside, path)
    except BaseException as error:
        aside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and str(error.filename) in ("None", str(aside)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def copy_file(source: Path, target: Path) -> None:
    """Copy a file; `target` is complete or not there."""
    with written_aside(target) as aside:
        shutil.copyfile(source, aside)
