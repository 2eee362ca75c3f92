"""Names of files: their order, the numbers in them, and the files of a folder by name."""

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath

_SHOWN = 3  # names given of a long list
_LONGEST = 200  # bytes in a part of a name; file systems take 255, endings and hidden marks included
_NOT_PORTABLE = frozenset('<>:"|?*\\')  # Windows takes them in no name


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


def checked_name(name: str, where: str, nested: bool = False) -> str:
    """The name, where it may become the name of a file or folder. Whatever a file says a name is has to pass here.

    Args:
        name: of a video or frame, as it stands in a file (JSON, a list).
        where: the file and the place in it, for the message.
        nested: whether it may have several parts, separated by `/`, as BURST's `<dataset>/<sequence>` has.

    Raises:
        ValueError: it is empty or absolute, has a part that is empty, `.`, `..` or longer than 200 bytes, has control
            characters, half of a surrogate pair, or one of `<>:"|?*\\`, which are not allowed everywhere.
    """
    refuse_lone_surrogates(name, where)
    parts = name.split("/")
    fault = None
    if any(not part.strip() or part in (".", "..") for part in parts):
        fault = "is empty, absolute, or leads to another folder"
    elif len(parts) > 1 and not nested:
        fault = "has a / in it"
    elif any(len(part.encode()) > _LONGEST for part in parts):
        fault = f"has a part of more than {_LONGEST} bytes"
    elif not all(part.isprintable() for part in parts):
        fault = "has control characters"
    elif found := sorted(_NOT_PORTABLE.intersection(name)):
        fault = f"has {' '.join(found)} in it, which not every system allows"
    if fault:
        raise ValueError(f"{where}: {shown(name)} cannot be the name of a video or frame: it {fault}")
    return name


def fault_of_folder(name: str) -> str | None:
    """Why a folder that is there should not be taken for a video: its name could not be written into reports; or None.

    Names that a file tells have to pass `checked_name`, which is stricter.
    """
    if name.isprintable():
        return None
    return f"{shown(name)}: the name of this folder has control characters or is no text; rename it"


def refuse_lone_surrogates(text: str, where: str) -> None:
    """ValueError for half of a surrogate pair, which JSON can hold but no file of text."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{where}: {shown(text)} has half of a surrogate pair, which is no character") from error


def shown(name: str) -> str:
    """A name in quotes as messages show it: without control characters, and not too long."""
    quoted = ascii(name) if not name.isprintable() else repr(name)
    return quoted if len(quoted) <= 80 else f"{quoted[:70]}…{quoted[-6:]}"


def read_lines(path: Path) -> list[str]:
    """The lines of a text file.

    Raises:
        ValueError: the file, which is named, is no text in UTF-8 (a byte order mark is taken).
        OSError: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text in UTF-8: {error}") from error


def read_video_list(path: Path) -> list[str]:
    """The names of videos in a text file, one in each line, each once. Raises as `read_lines`.

    DAVIS 2016's lists name frames and their masks, `/JPEGImages/480p/bear/00000.jpg …`, from which videos are taken.
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
