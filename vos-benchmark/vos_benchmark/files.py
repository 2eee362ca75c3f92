"""Files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path

from .errors import ScoringError


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 file beside its final name and renames it; a ScoringError says why it could not."""
    path = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with open(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise ScoringError(f"{path}: cannot be written ({error.strerror or error})") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
