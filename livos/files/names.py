"""Names of files: their order, the numbers in them, and the files of a folder by name."""

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePath

_SHOWN = 3  # names given of a long list


def files_by_stem(folder: Path, suffixes: tuple[str, ...]) -> tuple[dict[str, Path], list[str]]:
    """The files with these endings in a folder, by name without ending, in natural order; and what is wrong with them.

    Hidden files (`.DS_Store`, `._00000.jpg`) and other types are passed over. Two files of one name are a fault. Where
    there is no such folder, there are no files.
    """
    files: dict[str, Path] = {}
    faults: list[str] = []
    if not folder.is_dir():
        return files, faults
    for name in sorted(os.listdir(folder), key=natural_order):
        stem, suffix = os.path.splitext(name)
        if suffix.lower() not in suffixes or name.startswith("."):
            continue
        if stem in files:
            faults.append(f"{folder}: two files for one frame, {files[stem].name} and {name}")
        files.setdefault(stem, folder / name)
    return files, faults


def natural_order(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """A key that sorts names as people count: 9.jpg before 10.jpg, and zero-padded names as they always are."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts if part], name


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder in natural order, without hidden ones (`.ipynb_checkpoints`)."""
    inside = [path for path in folder.iterdir() if path.is_dir() and not is_hidden(Path(path.name))]
    return sorted(inside, key=lambda path: natural_order(path.name))


def is_hidden(path: PurePath) -> bool:
    """Whether a path, given from the folder that is looked at, is hidden or lies in a hidden folder."""
    return any(part.startswith(".") for part in path.parts)


def some_of(names: Iterable[str]) -> str:
    """The first few of the names and how many there are."""
    names = list(names)
    return ", ".join(names[:_SHOWN]) + (f", … ({len(names)})" if len(names) > _SHOWN else "")


def trailing_number(name: str, alone: bool = False) -> int | None:
    """12 for `00012` and, unless it must be `alone`, for `frame_0012`; None where the name does not end in digits."""
    digits = name[len(name.rstrip("0123456789")) :]
    return int(digits) if digits and (digits == name or not alone) else None
