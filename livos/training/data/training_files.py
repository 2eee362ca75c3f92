"""Frames and masks of the training sets, read as everywhere else (livos/files, livos/masks), but reduced.

docs/masks.md says what differs from evaluation: 255 is void in masks of ids, and ids end at 254.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from livos.files.images import read_bgr, read_header
from livos.masks.label_maps import fault_of_kind, guess_labels, read_area, read_mask_file

REDUCTIONS = (1, 2, 4, 8)
HEADER_READERS = 8  # threads; on a network drive, almost all of the time is waiting
VOID = 255
LARGEST_ID = 254  # ids are stored in a byte, whose highest value is void


@dataclass(frozen=True)
class TrainingMask:
    """The objects of one mask."""

    path: Path
    labels: npt.NDArray[np.uint8]  # (H, W) ids from 1 to LARGEST_ID, 0 for background and void
    black_and_white: bool | None  # whether its one object is white, or else it has ids; None: it shows no object


def largest_reduction(minification: float) -> int:
    """1, 2, 4 or 8: the factor by which an image can be reduced while decoding, without having to be enlarged again."""
    return max(factor for factor in REDUCTIONS if factor <= max(1.0, minification))


def read_image(path: Path, size: tuple[int, ...], reduction: int = 1) -> np.ndarray:
    """(H, W, 3) uint8 BGR, where H and W are `size`, that of its mask, divided by `reduction` and rounded up.

    Raises:
        ValueError: If the file is not an image, is damaged, or is not as large as its mask.
    """
    image = read_bgr(path, reduction)
    height, width = size
    if image.shape[:2] != (-(-height // reduction), -(-width // reduction)):
        found = f"{image.shape[1]} x {image.shape[0]}" + (f" at 1/{reduction} of its size" if reduction > 1 else "")
        raise ValueError(f"{path} must be as large as its mask, {width} x {height}, but is {found}")
    return image


def read_mask(path: Path, binary: bool) -> TrainingMask:
    """A mask by the rules of docs/masks.md, where 255 is void unless it is black and white.

    Args:
        path: The mask.
        binary: Treat everything in it as one object, with id 1, and threshold soft edges.

    Raises:
        ValueError: If the file, which is named, is not a mask, is damaged or ambiguous, or has ids above 254.
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
        raise ValueError(f"{path}: contains the id {highest}; training needs ids from 1 to {LARGEST_ID}, 255 is void")
    labels = mask.labels.astype(np.uint8, copy=False)
    if highest == VOID:
        labels = np.where(labels == VOID, np.uint8(0), labels)
        highest = int(labels.max())
    return TrainingMask(path, labels, False if highest else None)


def mask_size(path: Path) -> tuple[int, int]:
    """(H, W) from the header. Raises ValueError, naming the file, if it is not a mask or of an unsupported kind."""
    header = read_header(path)
    if fault := fault_of_kind(header):
        raise ValueError(f"{path}: {fault}")
    return header.size


def refuse_two_meanings(masks: list[TrainingMask]) -> None:
    """Raises ValueError, naming two files, if some masks of a video are black and white and others have ids."""
    white = next((mask for mask in masks if mask.black_and_white), None)
    other = next((mask for mask in masks if mask.black_and_white is False), None)
    if white and other:
        raise ValueError(
            f"{white.path} is black and white (object 1), but {other.path} of the same video has ids: is white an "
            "object or void? Save both as palette PNG with the ids as indices, where 255 is void"
        )
