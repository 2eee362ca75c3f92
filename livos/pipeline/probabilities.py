"""Probabilities of a frame on disk, for averaging runs at several sizes or on mirrored frames.

One compressed .npz file per frame, readable with only NumPy:

- `probabilities`: uint8 (1 + N, H, W), background first, 0 to 255 for 0 to 1. Values are rounded by up to 1/510, which
  moves the border between two objects only where they are equally likely to that precision.
- `object_ids`: int64 (N,), the ids of the channels after the background, as in the mask files.

The probabilities of most pixels are 0 or 1, so a file takes a few per cent of the size in memory.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from livos.files.atomic import written_aside
from livos.files.image_formats import refuse_too_large

if TYPE_CHECKING:
    import torch


_MOST_OBJECTS = 100_000


@dataclass(frozen=True)
class Probabilities:
    """Probabilities of a frame, float32 (1 + N, H, W), background first, and the object ids of the other channels."""

    probabilities: npt.NDArray[np.float32]
    object_ids: tuple[int, ...]

    def labels(self) -> npt.NDArray[np.int32]:
        """The most probable object's id at each pixel, (H, W), 0 for background."""
        ids = np.array([0, *self.object_ids], np.int32)
        return ids[self.probabilities.argmax(axis=0)]


def write_probabilities(
    path: str | os.PathLike[str], probabilities: torch.Tensor | npt.NDArray[np.floating], object_ids: Sequence[int]
) -> None:
    """Writes probabilities (1 + N, H, W) in [0, 1], background first, with the N ids of the other channels.

    Raises ValueError if the number of ids does not match.
    """
    channels = probabilities.shape[0]
    if len(probabilities.shape) != 3 or channels != 1 + len(object_ids):
        raise ValueError(
            f"{path}: expected probabilities of shape (1 + N, H, W) for {len(object_ids)} ids, "
            f"got {tuple(probabilities.shape)}"
        )
    if not isinstance(probabilities, np.ndarray):
        probabilities = probabilities.detach().float().cpu().numpy()
    quantised = np.rint(np.clip(probabilities, 0, 1) * 255).astype(np.uint8)
    with written_aside(path) as aside, aside.open("wb") as file:
        np.savez_compressed(file, probabilities=quantised, object_ids=np.asarray(object_ids, np.int64))


def read_probabilities(path: str | os.PathLike[str]) -> Probabilities:
    """Reads what `write_probabilities` wrote. Raises ValueError, naming the file, if it is something else."""
    with _opened(path) as archive:
        ids = _read_ids(archive)
        shape, dtype = _header(archive, "probabilities.npy")
        if dtype != np.uint8 or len(shape) != 3 or shape[0] != 1 + len(ids) or 0 in shape:
            raise ValueError(f"probabilities of shape {shape} and type {dtype} for {len(ids)} objects")
        refuse_too_large(shape[1], shape[2], path)
        probabilities = _read_array(archive, "probabilities.npy")
    return Probabilities(probabilities.astype(np.float32) / np.float32(255), ids)


def read_object_ids(path: str | os.PathLike[str]) -> tuple[int, ...]:
    """Only the ids, without decompressing the probabilities. Raises ValueError like `read_probabilities`."""
    with _opened(path) as archive:
        return _read_ids(archive)


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    """Opens the archive, and turns whatever is wrong with it into a ValueError that names it."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        if reason.startswith(f"{path}: "):
            raise
        raise ValueError(f"{path}: not a file of scores as written with save_scores ({reason})") from error


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array, without allocating it. Raises ValueError if the archive holds more or less data."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        expected = file.tell() + math.prod(shape) * dtype.itemsize
    if dtype.hasobject or archive.getinfo(name).file_size != expected:
        raise ValueError(f"{name} has {archive.getinfo(name).file_size} bytes, expected {expected}")
    return shape, dtype


def _read_array(archive: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _read_ids(archive: zipfile.ZipFile) -> tuple[int, ...]:
    shape, dtype = _header(archive, "object_ids.npy")
    if len(shape) != 1 or not np.issubdtype(dtype, np.integer) or shape[0] > _MOST_OBJECTS:
        raise ValueError(f"object ids of shape {shape} and type {dtype}")
    ids = tuple(int(object_id) for object_id in _read_array(archive, "object_ids.npy"))
    if len(set(ids)) < len(ids) or not all(0 < object_id < 2**31 for object_id in ids):
        raise ValueError("object ids that are not positive or not unique")
    return ids


def average_probabilities(several: Sequence[Probabilities]) -> Probabilities:
    """The mean of several scores of the same frame; an object that is missing in one of them has probability 0 there.

    Raises ValueError if their sizes differ.
    """
    sizes = {scores.probabilities.shape[1:] for scores in several}
    if len(sizes) != 1:
        raise ValueError(f"scores of one frame have different sizes (H, W): {sorted(sizes)}")
    object_ids = tuple(sorted({object_id for scores in several for object_id in scores.object_ids}))
    channel = {object_id: 1 + place for place, object_id in enumerate(object_ids)}
    total = np.zeros((1 + len(object_ids), *sizes.pop()), np.float32)
    for scores in several:
        total[[0, *(channel[object_id] for object_id in scores.object_ids)]] += scores.probabilities
    total /= len(several)
    return Probabilities(total, object_ids)
