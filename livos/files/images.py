"""Reading frames from image files: fast, always RGB, and never half of a damaged file."""

import os
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

PathLike = str | os.PathLike[str]

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
_PNG_END = b"IEND\xaeB`\x82"


def read_image(path: PathLike) -> npt.NDArray[np.uint8]:
    """The frame as (H, W, 3) RGB. Greyscale, palette, RGBA (alpha dropped) and 16-bit files (upper byte) are converted.

    The orientation that a camera noted (EXIF) is ignored, as masks have none: pixels stay where the file has them.
    Raises ValueError, naming the file, where it is cut short or not an image.
    """
    data = Path(path).read_bytes()
    refuse_cut_short(data, path)
    image = None
    if data:
        encoded = np.frombuffer(data, np.uint8)
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise ValueError(f"{path}: not a readable image ({len(data)} bytes)")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def image_size(path: PathLike) -> tuple[int, int]:
    """(H, W) from the header alone. Raises ValueError, naming the file, where it is not an image."""
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{path}: not a readable image: {error}") from error


def refuse_cut_short(data: bytes, path: PathLike) -> None:
    """ValueError where a JPEG or PNG file stops before its end marker: decoders fill the rest with grey, silently."""
    complete = True
    if data.startswith(b"\xff\xd8"):
        complete = data.rfind(b"\xff\xd9", _start_of_scan(data)) >= 0
    elif data.startswith(b"\x89PNG"):
        complete = data.rfind(_PNG_END) >= 0
    if not complete:
        raise ValueError(f"{path}: the file is cut short or damaged ({len(data)} bytes, without an end marker)")


def _start_of_scan(data: bytes) -> int:
    """Where a JPEG's picture data begin; before, a thumbnail may have an end marker of its own."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xDA:
            return position
        if marker == 0xFF:  # padding
            position += 1
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return len(data)
