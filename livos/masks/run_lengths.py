"""COCO run-length codes: lengths of alternating runs of background and object, column by column.

Every count is checked against the image before anything is allocated: pycocotools would return uninitialised memory for
a code that is too short, and write out of bounds for one that is too long.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_masks


def decode_mask(code: Any, size: tuple[int, int], where: str) -> npt.NDArray[np.bool_]:
    """The pixels of an object.

    Args:
        code: COCO's compressed string, or a list of lengths.
        size: (H, W) of the image.
        where: File and place, for messages.

    Returns:
        (H, W), True where the object is.

    Raises:
        ValueError: If it is not a code for an image of this size.
    """
    if isinstance(code, str):
        runs = _lengths_in_text(code, size, where)
    elif isinstance(code, list):
        runs = _checked(code, size, where)
    else:
        raise ValueError(f"{where}: expected a run-length code as string or list, found {type(code).__name__}")
    height, width = size
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T


def encode_mask(mask: npt.NDArray[np.bool_]) -> str:
    """COCO's compressed run-length code of (H, W) bool."""
    return coco_masks.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"].decode()


def _lengths_in_text(code: str, size: tuple[int, int], where: str) -> list[int]:
    """Each character holds five bits, the lowest first, and a flag for whether more follow. From the fourth number on,
    the difference to the last but one is stored.
    """
    highest = size[0] * size[1]
    runs: list[int] = []
    value = place = 0
    for character in code:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or place > 60 or len(runs) > 2 * highest:
            raise _misfit(size, where)
        value |= (bits & 31) << place
        place += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << place
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            if not 0 <= runs[-1] <= highest:
                raise _misfit(size, where)
            value = place = 0
    return _checked(runs, size, where) if not place else _checked([], size, where)


def _checked(runs: Sequence[Any], size: tuple[int, int], where: str) -> list[int]:
    highest = size[0] * size[1]
    total = 0
    for run in runs:
        if isinstance(run, bool) or not isinstance(run, int) or not 0 <= run <= highest:
            raise _misfit(size, where)
        total += run
    if total != highest or len(runs) > 2 * highest + 1:
        raise _misfit(size, where)
    return list(runs)


def _misfit(size: tuple[int, int], where: str) -> ValueError:
    return ValueError(f"{where}: not a run-length code of {size[1]} x {size[0]} pixels")
