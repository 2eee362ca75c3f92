"""Tensor files of torch.save and safetensors: read without running anything in them, written atomically."""

import errno
import os
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as safetensors_of

from livos.files.atomic import written_aside

_PICTURE = "a picture"
_ARCHIVE = "an archive: unpack it and use the file inside"
_KINDS = {  # the first bytes of files that are sometimes mistaken for weights
    b"version https://git-lfs": "a Git LFS pointer instead of the file: `git lfs pull` fetches it",
    b"\x1f\x8b": _ARCHIVE,
    b"BZh": _ARCHIVE,
    b"\xfd7zXZ": _ARCHIVE,
    b"7z\xbc\xaf": _ARCHIVE,
    b"Rar!": _ARCHIVE,
    b"\x28\xb5\x2f\xfd": _ARCHIVE,
    b"\x89HDF": "HDF5, as Keras writes it: expected PyTorch weights or safetensors",
    b"\x93NUMPY": "a NumPy array: expected PyTorch weights or safetensors",
    b"GGUF": "GGUF: expected PyTorch weights or safetensors",
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"%PDF": "a PDF",
}
_WEB_PAGE = "a web page: the download was refused. Delete it and download again"
_RUNS_PROGRAMS = {  # modules whose functions no weights file needs
    *("os", "posix", "nt", "sys", "subprocess", "shutil", "socket", "pty", "platform", "ctypes", "importlib", "runpy"),
    *(
        "builtins",
        "__builtin__",
        "commands",
        "webbrowser",
        "urllib",
        "requests",
        "code",
        "operator",
        "pickle",
        "marshal",
    ),
}
_NAMED = re.compile(r"(?:GLOBAL |class |function )([A-Za-z_][\w.]*\.\w+)")


def save_tensors(content: Any, path: str | os.PathLike[str], metadata: dict[str, str] | None = None) -> None:
    """Writes tensors and plain values atomically, and flushes them to the disk.

    Args:
        content: What torch.save takes; for names that end in .safetensors, a dictionary of tensors.
        metadata: Metadata for a .safetensors file; other files cannot have any.

    Raises:
        OSError: If it cannot be written; the error names the file.
    """
    with written_aside(path) as aside:
        try:
            with aside.open("wb") as file:  # with the usual permissions, which safetensors' save_file would not give
                if aside.suffix == ".safetensors":
                    file.write(safetensors_of(content, metadata))
                else:
                    torch.save(content, file)
                file.flush()
                os.fsync(file.fileno())
        except (RuntimeError, SafetensorError) as error:
            raise _disk_error(error) or error from error


def load_tensors(path: Path) -> Any:
    """The content of a file written by torch.save or safetensors, whatever its suffix, on the CPU.

    Only tensors and plain values are read (`weights_only`), so nothing in the file is run.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it is another kind of file, is damaged, or holds something else. The message names it.
    """
    with path.open("rb") as file:
        head = file.read(512)
    if kind := _other_kind(head):
        raise ValueError(f"{path} is {kind}")
    try:
        if _is_safetensors(head, path.stat().st_size):
            return load_file(path)
        if zipfile.is_zipfile(path):
            _check_archive(path)
        with path.open("rb") as file:  # given a path, torch goes by its suffix
            return torch.load(file, "cpu", weights_only=True)
    except Exception as error:  # damage makes torch raise errors of any kind, and they all mean the same
        raise ValueError(_explanation(path, error)) from error


def tensor_metadata(path: Path) -> dict[str, str]:
    """The metadata of a .safetensors file; empty for any other file.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it is damaged.
    """
    with path.open("rb") as file:
        head = file.read(512)
    if not _is_safetensors(head, path.stat().st_size):
        if path.suffix == ".safetensors":
            load_tensors(path)  # raises what is wrong, unless torch wrote the file
        return {}
    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except Exception as error:
        raise ValueError(_explanation(path, error)) from error


def _other_kind(head: bytes) -> str | None:
    """The kind of a file with this beginning, if it clearly holds no tensors."""
    if not head:
        return "empty"
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return _WEB_PAGE
    if head[257:262] == b"ustar":
        return _ARCHIVE
    return next((kind for start, kind in _KINDS.items() if head.startswith(start)), None)


def _is_safetensors(head: bytes, size: int) -> bool:
    return head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= size - 8


def _check_archive(path: Path) -> None:
    """Raises ValueError if a zip archive is not from torch, or if its content does not match the checksums, which torch
    stores but does not verify.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        if not any(name.endswith("data.pkl") for name in names):
            raise _Unsuited(f"is an archive of {', '.join(names[:3]) or 'nothing'}: unpack it and use the file inside")
        if any(name.endswith("constants.pkl") for name in names):
            raise _Unsuited(
                "is a program saved by torch.jit: expected weights, as torch.save(network.state_dict(), …) writes them"
            )
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise _Unsuited("was compressed again after torch wrote it, perhaps as a whole folder: unpack it")
        if damaged := archive.testzip():
            raise _Unsuited(f"is damaged: {damaged} in it does not match its stored checksum")


class _Unsuited(ValueError):
    """What is wrong with a file, as the end of a sentence that begins with its path."""


def _explanation(path: Path, error: Exception) -> str:
    if isinstance(error, _Unsuited):
        return f"{path} {error}"
    size = f"{path} ({path.stat().st_size:,} bytes)"
    if isinstance(error, pickle.UnpicklingError) and (match := _NAMED.search(str(error))):
        name = match[1]
        if name.split(".")[0] in _RUNS_PROGRAMS:
            return (
                f"{path} would run {name} if it were unpickled normally, as malicious files do. Nothing in it was run. "
                "Do not use it"
            )
        return (
            f"{path} contains an object of {name} besides tensors and plain values, and reading it could run code in "
            "the file. Nothing in it was run. Expected only the weights: torch.save(network.state_dict(), FILE)"
        )
    if isinstance(error, MemoryError) or "allocate" in str(error):
        return f"{size} cannot be read: it claims to hold more than fits into memory, so it is probably damaged"
    return f"{size} cannot be read as tensors, perhaps because it is damaged or truncated ({_reason(error)})"


def first_line(error: BaseException) -> str:
    """The first line of an error message, printable and not too long, for use in another sentence."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return "".join(character if character.isprintable() else "?" for character in line)[:300]


def _reason(error: Exception) -> str:
    """The kind of an error and its message, without torch's advice on how to trust a file."""
    text = str(error).split("WeightsUnpickler error:")[-1] if isinstance(error, pickle.UnpicklingError) else str(error)
    line = first_line(Exception(text.split("Please file")[0]))
    return f"{type(error).__name__}: {line[:150]}" if text else type(error).__name__


def _disk_error(error: BaseException) -> OSError | None:
    """The disk error that caused an error of torch or safetensors."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, OSError) and behind.errno:
            return OSError(behind.errno, behind.strerror)
        behind = behind.__context__
    if match := re.search(r"os error (\d+)", str(error)):
        return OSError(int(match[1]), os.strerror(int(match[1])))
    return OSError(errno.EIO, str(error)) if "I/O error" in str(error) else None
