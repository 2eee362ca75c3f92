"""Files with several pictures: TIFF with several pages, animated GIF, WebP and PNG (APNG)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from livos.files.image_formats import refuse_too_large
from livos.files.images import PathLike, Picture, naming_picture, opened_series

SERIES_SUFFIXES = (".tif", ".tiff", ".gif", ".webp", ".png", ".apng")

_FORMATS = {"TIFF": "TIFF", "GIF": "GIF", "WEBP": "WebP", "PNG": "PNG"}  # Pillow's names -> ours

_REDUCED_OR_MASK = 0b101  # of TIFF's NewSubfileType: a thumbnail, or a transparency mask of another page
_DEFAULT_DURATION = 100.0  # which browsers use if a file says 0 or nothing


@dataclass(frozen=True)
class SeriesPicture:
    """One picture of several."""

    place: int  # among them, from 0
    format: str  # PNG, WebP, TIFF or GIF
    mode: str  # Pillow's: P, L, 1, RGB, RGBA, I;16 …
    palette: bytes | None  # RGB triples, where mode is P
    pixels: npt.NDArray[Any]  # (H, W) or (H, W, channels), as stored
    milliseconds: float | None  # how long it is shown; None: pages, which have no time


def holds_several(path: PathLike) -> bool:
    """Whether a file holds more than one picture; JPEG and BMP files, which cannot, are not opened.

    Raises:
        ValueError: If the file, which is named, is not a picture or is damaged.
    """
    if Path(path).suffix.lower() not in SERIES_SUFFIXES:
        return False
    with opened_series(path, check=False) as image:
        places = _places(image, path)
        return next(places, None) is not None and next(places, None) is not None


def read_series(path: PathLike, start: int = 0) -> Iterator[SeriesPicture]:
    """The pictures of a file, one or more, from number `start` on; frames of animations are composed as displayed.

    Raises:
        ValueError: If the file, which is named, is not a picture, is damaged, or claims too many pixels.
        OSError: If it cannot be read.
    """
    with opened_series(path) as image:
        for place, _ in enumerate(_places(image, path)):
            if place < start:
                continue
            with naming_picture(path):
                image.load()
                refuse_too_large(image.height, image.width, path)
                palette = bytes(image.getpalette("RGB") or b"") if image.mode == "P" else None
                milliseconds, stored = _duration(image), image
                if image.mode in ("LA", "PA", "La", "RGBa", "RGBX"):
                    stored = image.convert("RGBA")
                pixels = np.array(stored)
            yield SeriesPicture(place, _FORMATS.get(image.format or "", ""), stored.mode, palette, pixels, milliseconds)


def read_page(path: PathLike, place: int) -> Picture:
    """One of several pictures in a file, as `read_picture` returns it. Raises IndexError if there are fewer."""
    for found in read_series(path, place):
        height, width = found.pixels.shape[:2]
        return Picture(found.format, found.mode, (height, width), 8, found.palette, pixels=found.pixels)
    raise IndexError(f"{path}: has no picture {place}")


def durations(path: PathLike) -> list[float | None]:
    """How long each picture of a file is shown, in milliseconds; None for pages. Raises like `read_series`."""
    found = []
    with opened_series(path, check=False) as image:
        for _ in _places(image, path):
            with naming_picture(path):
                if image.format == "WEBP":  # its times are known only after decoding
                    image.load()
                found.append(_duration(image))
    return found


def rgb_of(picture: SeriesPicture, path: PathLike) -> npt.NDArray[np.uint8]:
    """(H, W, 3) RGB, without transparency; the upper 8 of 16 bits. Raises ValueError for floating point."""
    if picture.mode.startswith("I;16") or picture.pixels.dtype == np.uint16:
        return np.repeat((picture.pixels >> 8).astype(np.uint8)[..., None], 3, axis=2)
    if picture.mode in ("I", "F"):
        raise ValueError(f"{path}: picture {picture.place} has values of 32 bits; expected 8 or 16")
    with naming_picture(path):
        image = Image.fromarray(picture.pixels, None if picture.mode != "P" else "L")
        if picture.mode == "P":
            image.putpalette(picture.palette or b"")
        return np.array(image.convert("RGB"))


def _places(image: Image.Image, path: PathLike) -> Iterator[int]:
    """The places of the pictures in a file; the image is at each in turn. Thumbnails are left out."""
    for place in count():
        with naming_picture(path):
            try:
                image.seek(place)
            except EOFError:
                return
            is_extra = image.format == "TIFF" and int(_tag(image, 254)) & _REDUCED_OR_MASK
        if not is_extra:
            yield place


def _tag(image: Image.Image, number: int) -> Any:
    return getattr(image, "tag_v2", {}).get(number, 0)


def _duration(image: Image.Image) -> float | None:
    if image.format == "TIFF":
        return None
    return float(image.info.get("duration") or _DEFAULT_DURATION)
