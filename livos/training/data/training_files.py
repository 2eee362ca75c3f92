"""Frames and masks of the training sets, read as everywhere else (livos/files, livos/masks), only smaller.

What differs from evaluation is said in docs/masks.md: 255 is void in masks of ids, and ids end at 254.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from livos.files.images import read_bgr, read_header
from livos.masks.label_maps import fault_of_kind, guess_labels, read_area, read_mask_file

REDUCTIONS = (1, 2, 4, 8)
HEADER_READERS = 8  # threads; on a network's disk almost all of the time is waiting
VOID = 255
LARGEST_ID = 254  # ids are kept in a byte, whose highest value is void


@dataclass(frozen=True)
class TrainingMask:
    """The objects of one mask."""

    path: Path
    labels: npt.NDArray[np.uint8]  # (H, W) ids from 1 to LARGEST_ID, 0 for background and void
    black_and_white: bool | None  # whether its one object is white; else it has ids; None: it shows none


def largest_reduction(minification: float) -> int:
    """1, 2, 4 or 8: by how much an image can be decoded smaller without having to be enlarged again."""
    return max(factor for factor in REDUCTIONS if factor <= max(1.0, minification))


def read_image(path: Path, size: tuple[int, ...], reduction: int = 1) -> np.ndarray:
    """(H, W, 3) uint8 BGR, H and W being `size`, its mask's, divided by `reduction` and rounded up.

    Raises:
        ValueError: the file is no image, is damaged, or is not as large as its mask.
    """
    image = read_bgr(path, reduction)
    height, width = size
    if image.shape[:2] != (-(-height // reduction), -(-width // reduction)):
        found = f"{image.shape[1]} x {image.shape[0]}" + (f" at 1/{reduction} of its size" if reduction > 1 else "")
        raise ValueError(f"{path} must be as large as its mask, {width} x {height}, but is {found}")
    return image


def read_mask(path: Path, binary: bool) -> TrainingMask:
    """A mask as docs/masks.md says, 255 being void unless it is black and white.

    Args:
        path: the mask.
        binary: take whatever it has for one object, with id 1, and cut soft edges in the middle.

    Raises:
        ValueError: the file, which is named, is no mask, damaged, can be read in two ways, or has ids above 254.
    """
    if binary:
        area = read_area(path)
        return TrainingMask(path, area.view(np.uint8), True if area.any() else None)
    picture = read_mask_file(path)
    assert picture.pixels is not None
    mask = guess_labels(picture, picture.pixels, path)
    highest = int(mask.labels.max(initial=0))
    if mask.coding.kind in ("binary", "bilevel"):
        return TrainingMask(path, mask.labels.astype(np.uint8, copy=False), True if highest else None)
    if highest > VOID:
        raise ValueError(f"{path}: holds the id {highest}; training takes ids from 1 to {LARGEST_ID}, 255 being void")
    labels = mask.labels.astype(np.uint8, copy=False)
    if highest == VOID:
        labels = np.where(labels == VOID, np.uint8(0), labels)
        highest = int(labels.max())
    return TrainingMask(path, labels, False if highest else None)


def mask_size(path: Path) -> tuple[int, int]:
    """(H, W) from the header. Raises ValueError, naming the file, where it is no mask, or of a kind that means none."""
    header = read_header(path)
    if fault := fault_of_kind(header):
        raise ValueError(f"{path}: {fault}")
    return header.size


def refuse_two_meanings(masks: list[TrainingMask]) -> None:
    """ValueError, naming two files, where some masks of a video are black and white and others have ids."""
    white = next((mask for mask in masks if mask.black_and_white), None)
    other = next((mask for mask in masks if mask.black_and_white is False), None)
    if white and other:
        raise ValueError(
            f"{white.path} is black and white (object 1), {other.path} of the same video has ids: is white an object "
            "or void? Save both as palette PNG with the ids as indices, where 255 is void"
        )
