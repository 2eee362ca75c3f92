"""SHA-256 of files, and lists of them in the format of `sha256sum`."""

import hashlib
from pathlib import Path

CHECKSUMS = "checksums.txt"
"""The list in the folder of downloaded weights."""


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_checksums(path: Path) -> dict[str, str]:
    """File name -> SHA-256; empty if the file does not exist. Raises ValueError, with its path, if it is not a list."""
    if not path.exists():
        return {}
    checksums = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        digest, _, name = line.strip().partition(" ")
        if line.strip() and (len(digest) != 64 or not name.strip()):
            raise ValueError(f"{path}, line {number}: expected a SHA-256 and the name of a file, found {line[:100]!r}")
        if name:
            checksums[name.strip().lstrip("*")] = digest.lower()
    return checksums


def refuse_other_content(path: Path) -> None:
    """Raises ValueError if the list in a file's folder has another checksum for it. Reads the file if it is listed."""
    checksums_path = path.parent / CHECKSUMS
    expected = read_checksums(checksums_path).get(path.name)
    if expected is not None and (found := sha256(path)) != expected:
        raise ValueError(
            f"{path} has SHA-256 {found}, but {checksums_path} recorded {expected}: it is damaged or another file. "
            f"Delete it and download it again; if it changed on purpose, delete its line in {CHECKSUMS}"
        )
