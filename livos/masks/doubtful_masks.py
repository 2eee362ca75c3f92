"""Ambiguous masks, and masks with unintended values: soft edges, dithering, a background that is not 0."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.integer[Any]]

SOFT_VALUES = 4  # this many values without a solid area are taken for a soft edge rather than for tiny objects
SOFT_INDICES = 32  # the same for palette images, which programs rarely write with soft edges
LONELY_PIXELS = 16  # this many pixels of one value without an equal neighbour are taken for dithering
PHOTO_COLOURS = 1000  # more colours than this are a photograph if an average one has fewer pixels than the following
PHOTO_PIXELS = 16
_ADVICE = "as palette PNG whose index 0 is the background, without dithering"


def count_values(codes: Codes) -> tuple[Codes, Codes]:
    """Sorted distinct values and how often each occurs; small values are counted without sorting, which is faster."""
    if codes.dtype == np.uint8 and codes.ndim == 2 and 0 < codes.size < 2**24:
        counts = cv2.calcHist([np.ascontiguousarray(codes)], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    elif codes.dtype == np.uint8 or (codes.size and codes.min() >= 0 and codes.max() < 2**16):
        counts = np.bincount(codes.ravel())
    else:
        return np.unique(codes, return_counts=True)
    values = np.flatnonzero(counts)
    return values, counts[values]


def refuse_photograph(num_values: int, num_pixels: int, path: Path) -> None:
    """Raises ValueError for a picture with many values in a few pixels each, which cannot all be objects."""
    if num_values > PHOTO_COLOURS and num_pixels < PHOTO_PIXELS * num_values:
        raise ValueError(
            f"{path}: has {num_values} colours, {num_pixels / num_values:.1f} pixels of each on average: this seems "
            "to be a photograph or a frame of a video; expected a mask, in which each colour or value is one object"
        )


def refuse_soft_edges(codes: Codes, path: Path, most_soft: int, white: int | None = None) -> Codes:
    """The distinct values of a mask.

    Raises ValueError if there are as many as in a photograph, or if they look like the edges that resizing or soft
    brushes leave.

    A value of an edge has no solid area: few 2 x 2 blocks of pixels consist of it. `most_soft` of them, if more than
    solid ones, or any in a mask that is otherwise black and white, are refused. Masks of only tiny objects are not.
    """
    values, counts = count_values(codes)
    refuse_photograph(len(values), codes.size, path)
    if len(values) < 3 or (white not in values and len(values) <= most_soft):
        return values
    same_right = codes[:, 1:] == codes[:, :-1]
    in_block = same_right[1:] & same_right[:-1] & (codes[1:, 1:] == codes[:-1, 1:])
    blocks = np.zeros_like(counts)
    block_values, block_counts = count_values(codes[1:, 1:][in_block])
    blocks[np.searchsorted(values, block_values)] = block_counts
    soft = (blocks < 0.1 * counts) & (values != 0)
    num_soft, solid_values = int(soft.sum()), set(values[~soft].tolist()) - {0}
    many = num_soft >= most_soft and num_soft > len(solid_values) > 0
    if many or (num_soft and solid_values == {white}):
        raise ValueError(
            f"{path}: {len(values)} distinct values, {num_soft} of which are only found along edges: a soft "
            "(antialiased) edge would be read as objects. Draw with a hard brush and resize with nearest neighbour, "
            "or threshold the mask, then save it as palette or greyscale PNG"
        )
    return values


def refuse_dithering(codes: Codes, path: Path) -> None:
    """Raises ValueError if most pixels of an object have no neighbour of the same object, as in a chequered pattern.

    Programs make such patterns when they save a picture in fewer colours than it has.
    """
    rows = codes[::2]
    turns = rows[:, 1:] != rows[:, :-1]
    if np.count_nonzero(turns[:, 1:] & turns[:, :-1]) < LONELY_PIXELS // 4:
        return  # as in almost every mask; the rest takes five times as long
    alike = np.zeros(codes.shape, bool)
    right, down = codes[:, 1:] == codes[:, :-1], codes[1:] == codes[:-1]
    alike[:, 1:] |= right
    alike[:, :-1] |= right
    alike[1:] |= down
    alike[:-1] |= down
    lonely = ~alike & (codes != 0)
    if np.count_nonzero(lonely) < LONELY_PIXELS:
        return
    values, counts = count_values(codes)
    for value, count in zip(*count_values(codes[lonely]), strict=True):
        if count >= LONELY_PIXELS and 2 * count > counts[np.searchsorted(values, value)]:
            raise ValueError(
                f"{path}: most pixels of value {value} are surrounded by other values, as if dithered: "
                f"which object is meant? Save the mask again {_ADVICE}"
            )


def refuse_background_elsewhere(values: Codes, palette: bytes, path: Path) -> None:
    """Raises ValueError for a palette mask in which black, most likely the background, is an index other than 0.

    Args:
        values: The indices that occur.
        palette: RGB triples.
        path: The file of the mask, for the message.
    """
    if not any(palette[:3]):
        return
    colours = [tuple(palette[3 * index : 3 * index + 3]) for index in range(len(palette) // 3)]
    for index in values.tolist():
        if index and colours[index] == (0, 0, 0):
            raise ValueError(
                f"{path}: index 0, the background, has the colour {colours[0]}, and index {index}, an object, is "
                f"black: most likely black was meant to be the background. Save the mask again {_ADVICE}"
            )
