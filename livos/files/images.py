"""Reads pictures: fast, only in the supported formats, and never half of a damaged file.

Everything that opens a picture does so through this module.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from livos.files.image_formats import (
    SIGNATURE_LENGTH,
    PathLike,
    format_of,
    refuse_damaged,
    refuse_too_large,
    size_in_header,
)

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")

MASK_SUFFIXES = (".png", ".bmp", ".gif", ".tif", ".tiff", ".jpg", ".jpeg")  # JPEG is refused with an explanation

# Pillow's readers are called directly: `Image.open` would try any format, and start Ghostscript for PostScript.
_READERS: dict[str, Callable[[BinaryIO], Image.Image]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
}
_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True)
class Picture:
    """A picture as its file stores it."""

    format: str  # PNG, JPEG, WebP, TIFF, BMP or GIF
    mode: str  # Pillow's: P, L, 1, RGB, RGBA, I;16 …
    size: tuple[int, int]  # (H, W)
    grey_bits: int  # 2 or 4 where grey values of this many bits are stored, else 8
    palette: bytes | None  # RGB triples, where mode is P
    texts: Mapping[str, str] = field(default_factory=dict)  # of a PNG, by keyword
    may_be_several: bool = False  # whether the file can hold more pictures: see livos/files/picture_series.py
    pixels: npt.NDArray[Any] | None = None  # (H, W) or (H, W, channels); None: only the header was read


def read_image(path: PathLike) -> npt.NDArray[np.uint8]:
    """The frame as (H, W, 3) RGB. Greyscale, palette, RGBA (alpha dropped) and 16-bit files (upper byte) are converted.

    The orientation that a camera recorded (EXIF) is ignored, since masks have none: pixels stay where they are.

    Raises:
        ValueError: If the file, which is named, is not a picture, is truncated or damaged, or claims too many pixels.
        OSError: If it cannot be read.
    """
    return cv2.cvtColor(read_bgr(path), cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def read_bgr(path: PathLike, reduction: int = 1) -> npt.NDArray[np.uint8]:
    """The frame as (H, W, 3) BGR, as OpenCV decodes it; otherwise like `read_image`.

    Args:
        path: The file.
        reduction: 1, 2, 4 or 8: both sides are divided by it and rounded up. JPEG files are decoded at that size, which
            is faster and averages over the omitted pixels.
    """
    data = Path(path).read_bytes()
    picture_format = format_of(data[:SIGNATURE_LENGTH], path)
    refuse_damaged(data, picture_format, path)
    refuse_too_large(*(size_in_header(data, picture_format) or _header(io.BytesIO(data), path).size), path)
    in_decoder = reduction if picture_format == "JPEG" else 1
    with naming_picture(path):
        flags = _REDUCED[in_decoder] | cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if image is None:
        raise ValueError(f"{path}: not a readable image ({len(data)} bytes)")
    if reduction != in_decoder:  # OpenCV would round the sides of other formats down
        height, width = (-(-side // reduction) for side in image.shape[:2])
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return image  # type: ignore[return-value]


def image_size(path: PathLike) -> tuple[int, int]:
    """(H, W) from the header. Raises ValueError, naming the file, if it is not a picture or claims too many pixels."""
    return read_header(path).size


def read_header(path: PathLike) -> Picture:
    """What the header says about a picture. Raises like `read_image`, but checks neither pixels nor checksums."""
    with open(path, "rb") as file:
        return _header(file, path)


def read_picture(path: PathLike) -> Picture:
    """A picture with its pixels as stored: palette indices, grey values, colours; 2 or 4 bits are scaled to 8.

    Raises:
        ValueError: If the file, which is named, is not a picture, is truncated or damaged, or claims too many pixels.
        OSError: If it cannot be read.
    """
    return decode_picture(Path(path).read_bytes(), path)


def decode_picture(data: bytes, path: PathLike) -> Picture:
    """Like `read_picture`, for bytes from elsewhere; `path` is for messages."""
    refuse_damaged(data, format_of(data[:SIGNATURE_LENGTH], path), path)
    with _opened(io.BytesIO(data), path) as (image, header), naming_picture(path):
        image.load()
        palette = bytes(image.getpalette("RGB") or b"") if image.mode == "P" else None
        if image.mode in ("LA", "PA", "La", "RGBa", "RGBX"):
            image = image.convert("RGBA")
        pixels = np.array(image)
    return replace(header, mode=image.mode, palette=palette, pixels=pixels)


def read_orientation(path: PathLike) -> int:
    """The orientation that a camera recorded (EXIF): 1 means unchanged, 2 to 8 mirrored or rotated.

    1 for TIFF, whose pixels are already rotated. Raises like `read_header`.
    """
    with open(path, "rb") as file, _opened(file, path) as (image, header), naming_picture(path):
        found = 1 if header.format == "TIFF" else image.getexif().get(0x0112, 1)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def upright(image: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """The (H, W, …) picture as viewers show it, given what `read_orientation` found."""
    if orientation >= 5:
        image = image.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


@contextmanager
def opened_series(path: PathLike, check: bool = True) -> Iterator[Image.Image]:
    """Pillow's image of a file that may hold several pictures.

    check: refuse a damaged file first. Raises like `read_picture`.
    """
    with open(path, "rb") as file:
        if check:
            data = file.read()
            refuse_damaged(data, format_of(data[:SIGNATURE_LENGTH], path), path)
            file.seek(0)
        with _opened(file, path) as (image, _):
            yield image


def _header(file: BinaryIO, path: PathLike) -> Picture:
    with _opened(file, path) as (_, header):
        return header


@contextmanager
def _opened(file: BinaryIO, path: PathLike) -> Iterator[tuple[Image.Image, Picture]]:
    """Pillow's image, not yet decoded, and its header."""
    picture_format = format_of(file.read(SIGNATURE_LENGTH), path)
    file.seek(0)
    with naming_picture(path):
        image = _READERS[picture_format](file)
    with image:
        refuse_too_large(image.height, image.width, path)
        palette = image.palette.getdata()[1] if image.mode == "P" and image.palette else None
        texts = {str(key): value for key, value in image.info.items() if isinstance(value, str)}
        size = (image.height, image.width)
        several = picture_format in ("TIFF", "GIF", "WebP") or getattr(image, "is_animated", False)
        yield image, Picture(picture_format, image.mode, size, _grey_bits(image), palette, texts, several)


def _grey_bits(image: Image.Image) -> int:
    """2 or 4 if Pillow scales grey values of this many bits to 0 to 255 while decoding, else 8."""
    for tile in getattr(image, "tile", []):
        words = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        for word in words:
            if isinstance(word, str) and word.startswith(("L;2", "L;4")):
                return int(word[2])
    return 8


@contextmanager
def naming_picture(path: PathLike) -> Iterator[None]:
    """Turns whatever a decoder raises for a damaged file into a ValueError that names the file."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"{path}: not a readable image: {reason}") from error
