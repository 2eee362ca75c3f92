"""File names: their order, the numbers in them, and the files of a folder by name."""

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath

_SHOWN = 3  # names shown of a long list
_LONGEST = 200  # bytes in a part of a name; file systems allow 255, including suffixes and leading dots
_NOT_PORTABLE = frozenset('<>:"|?*\\')  # not allowed in names on Windows


def files_by_stem(folder: Path, suffixes: tuple[str, ...]) -> tuple[dict[str, Path], list[str]]:
    """The files with these suffixes in a folder, by name without suffix, in natural order; and what is wrong with them.

    Hidden files (`.DS_Store`, `._00000.jpg`) and other types are skipped. Two files with the same name are a fault. If
    the folder does not exist, there are no files.
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


def checked_name(name: str, where: str, nested: bool = False) -> str:
    """Returns the name if it may become the name of a file or folder. Every name that comes from a file has to pass.

    Args:
        name: The name of a video or frame, from a file (JSON, a list).
        where: The file and the place in it, for the message.
        nested: Whether it may have several parts, separated by `/`, like BURST's `<dataset>/<sequence>`.

    Raises:
        ValueError: If it is empty or absolute, has a part that is empty, `.`, `..` or longer than 200 bytes, or has
            control characters, half of a surrogate pair, or one of `<>:"|?*\\`, which are not allowed everywhere.
    """
    refuse_lone_surrogates(name, where)
    parts = name.split("/")
    fault = None
    if any(not part.strip() or part in (".", "..") for part in parts):
        fault = "is empty, absolute, or leads to another folder"
    elif len(parts) > 1 and not nested:
        fault = "contains a /"
    elif any(len(part.encode()) > _LONGEST for part in parts):
        fault = f"has a part of more than {_LONGEST} bytes"
    elif not all(part.isprintable() for part in parts):
        fault = "has control characters"
    elif found := sorted(_NOT_PORTABLE.intersection(name)):
        fault = f"contains {' '.join(found)}, which not every system allows"
    if fault:
        raise ValueError(f"{where}: {shown(name)} cannot be the name of a video or frame: it {fault}")
    return name


def fault_of_folder(name: str) -> str | None:
    """Why an existing folder should not be used as a video, because reports could not contain its name; or None.

    Names that come from a file have to pass `checked_name`, which is stricter.
    """
    if name.isprintable():
        return None
    return f"{shown(name)}: the name of this folder has control characters or is not text; rename it"


def refuse_lone_surrogates(text: str, where: str) -> None:
    """Raises ValueError for half of a surrogate pair, which JSON can hold but a text file cannot."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{where}: {shown(text)} has half of a surrogate pair, which is not a character") from error


def shown(name: str) -> str:
    """A name in quotes for messages: without control characters, and not too long."""
    quoted = ascii(name) if not name.isprintable() else repr(name)
    return quoted if len(quoted) <= 80 else f"{quoted[:70]}…{quoted[-6:]}"


def read_lines(path: Path) -> list[str]:
    """The lines of a text file.

    Raises:
        ValueError: If the file, which is named, is not UTF-8 text (a byte order mark is accepted).
        OSError: If it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a UTF-8 text: {error}") from error


def read_video_list(path: Path) -> list[str]:
    """The names of videos in a text file, one per line, without duplicates. Raises like `read_lines`.

    DAVIS 2016's lists name frames and their masks, `/JPEGImages/480p/bear/00000.jpg …`, from which videos are derived.
    """
    names = []
    for line in filter(None, map(str.strip, read_lines(path))):
        frame = PurePosixPath(line.split()[0])
        is_frame = "/" in line and frame.suffix.lower() in (".jpg", ".jpeg", ".png")
        names.append(checked_name(frame.parent.name if is_frame else line, str(path), nested=True))
    if not names:
        raise ValueError(f"{path}: names no video")
    return list(dict.fromkeys(names))


def natural_order(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """A key that sorts names as people count: 9.jpg before 10.jpg, and zero-padded names as usual."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts if part], name


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder in natural order, without hidden ones (`.ipynb_checkpoints`)."""
    inside = [path for path in folder.iterdir() if path.is_dir() and not is_hidden(Path(path.name))]
    return sorted(inside, key=lambda path: natural_order(path.name))


def is_hidden(path: PurePath) -> bool:
    """Whether a path, relative to the folder being listed, is hidden or lies in a hidden folder."""
    return any(part.startswith(".") for part in path.parts)


def some_of(names: Iterable[str]) -> str:
    """The first few names, and how many there are."""
    names = list(names)
    return ", ".join(names[:_SHOWN]) + (f", … ({len(names)})" if len(names) > _SHOWN else "")


def trailing_number(name: str, alone: bool = False) -> int | None:
    """12 for `00012` and, unless it must be `alone`, for `frame_0012`; None if the name does not end in digits."""
    digits = name[len(name.rstrip("0123456789")) :]
    return int(digits) if digits and (digits == name or not alone) else None
