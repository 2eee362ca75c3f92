"""Text files: written atomically, and read with errors that name them."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .errors import ScoringError


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 file under a temporary name and renames it. Raises ScoringError, saying why, if it cannot.

    What UTF-8 cannot represent (file names in another encoding) is written as escapes.
    """
    path = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with open(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                file.write(text)
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise ScoringError(f"{path}: cannot be written ({error.strerror or error})") from error


def read_text(path: str | Path) -> str:
    """A UTF-8 file, with or without byte order mark. Raises ScoringError, saying why, if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ScoringError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise ScoringError(f"{path}: cannot be read (not UTF-8 text: {error.reason} at byte {error.start})") from error


def read_json(path: str | Path) -> Any:
    """The content of a JSON file. Raises ScoringError, saying why, if it cannot be read."""
    try:
        return json.loads(read_text(path))
    except ScoringError:
        raise
    except ValueError as error:
        raise ScoringError(f"{path}: not JSON ({error})") from error
    except RecursionError as error:
        raise ScoringError(f"{path}: not JSON of this tool (nested too deeply)") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
