"""Frames and masks of the training sets: which files there are, what is wrong with them, and how they are read."""

import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from livos.files.images import refuse_cut_short
from livos.files.names import natural_order

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
_SHOWN = 3  # names given of a long list of offending files
_VOID = 255

_DECODE = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def files_by_stem(folder: Path, suffixes: tuple[str, ...]) -> dict[str, str]:
    """File names in a folder by their name without the ending, in natural order; empty if there is no such folder."""
    if not folder.is_dir():
        return {}
    names = [name for name in os.listdir(folder) if name.lower().endswith(suffixes) and name[0] != "."]
    names.sort(key=natural_order)
    return {os.path.splitext(name)[0]: name for name in names}


def some_of(names: Iterable[str]) -> str:
    """The first few of the names and how many there are: "00001, 00002, 00003, … (17)"."""
    names = list(names)
    return ", ".join(names[:_SHOWN]) + (f", … ({len(names)})" if len(names) > _SHOWN else "")


def largest_reduction(minification: float) -> int:
    """1, 2, 4 or 8: by how much an image can be decoded smaller without having to be enlarged again."""
    return max(factor for factor in _DECODE if factor <= max(1.0, minification))


def read_image(path: Path, size: tuple[int, ...], reduction: int = 1) -> np.ndarray:
    """(H, W, 3) uint8 BGR, H and W being `size`, its mask's, divided by `reduction` and rounded up.

    JPEG files are decoded at the reduced size, which is faster and averages over the pixels that are left out. Raises
    ValueError if the file is no image, is cut short, or is not as large as its mask.
    """
    data = path.read_bytes()
    refuse_cut_short(data, path)
    flags = _DECODE[reduction] | cv2.IMREAD_IGNORE_ORIENTATION  # masks are drawn on the pixels as they are stored
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags) if data else None
    if image is None:
        raise ValueError(f"{path} cannot be read as an image")
    height, width = size
    if image.shape[:2] != (-(-height // reduction), -(-width // reduction)):
        found = f"{image.shape[1]} x {image.shape[0]}" + (f" at 1/{reduction} of its size" if reduction > 1 else "")
        raise ValueError(f"{path} must be as large as its mask, {width} x {height}, but is {found}")
    return image


def read_mask(path: Path, binary: bool) -> np.ndarray:
    """(H, W) uint8 object ids, 0 for background and void (255).

    `binary`: one object, with id 1, where a palette or 1-bit mask is not 0 or a greyscale mask is at least 128. Raises
    ValueError if the file is not a one-channel, 8-bit mask.
    """
    with Image.open(path) as image:
        mode = image.mode
        mask = np.array(image)
    if mode not in ("1", "L", "P"):
        raise ValueError(f"{path} must be a mask of one 8-bit channel (palette or greyscale), found mode {mode}")
    if binary:
        return (mask >= 128).astype(np.uint8) if mode == "L" else (mask > 0).astype(np.uint8)
    mask = mask.astype(np.uint8, copy=False)
    if mask.max(initial=0) == _VOID:
        mask[mask == _VOID] = 0
    return mask
