"""Probabilities of a frame on disk, for averaging runs at several sizes or on mirrored frames.

One compressed .npz file a frame, readable by numpy alone:

- `probabilities`: uint8 (1 + N, H, W), background first, 0 to 255 for 0 to 1. A value is within 1/510 of what it was,
  which moves the border between two objects only where they are as likely as each other to that precision.
- `object_ids`: int64 (N,), the ids of the channels after the background, as they stand in the mask files.

Probabilities of most pixels are 0 or 1, so a frame takes a few per cent of its size in memory.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from livos.files.atomic import written_aside

if TYPE_CHECKING:
    import torch


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
    """Write probabilities (1 + N, H, W) in [0, 1], background first, with the N ids of the other channels.

    Raises ValueError if the number of ids does not fit.
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
    """Probabilities that `write_probabilities` wrote. Raises ValueError, naming the file, if it is something else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            probabilities, object_ids = file["probabilities"], file["object_ids"]
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not a file of scores as save_scores writes them ({error})") from error
    ids = tuple(int(object_id) for object_id in object_ids)
    return Probabilities(probabilities.astype(np.float32) / np.float32(255), ids)


def read_object_ids(path: str | os.PathLike[str]) -> tuple[int, ...]:
    """The ids alone, without unpacking the probabilities."""
    with np.load(path, allow_pickle=False) as file:
        return tuple(int(object_id) for object_id in file["object_ids"])


def average_probabilities(several: Sequence[Probabilities]) -> Probabilities:
    """The mean of several scores of the same frame; an object that one of them lacks has probability 0 there.

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
