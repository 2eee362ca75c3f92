"""Mask files to object ids.

A mask is a PNG whose pixels are object ids: palette indices, grey values (1 to 16 bits), or ids coded as colours,
id = R + 256 G + 65536 B. A coloured mask all of whose colours are in the palette of the true mask is read through it.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .errors import UnreadableMaskError

VOID = 255

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_COLOURED = (_RGB, _RGBA)
_DECODING_ERRORS = (OSError, SyntaxError, ValueError, struct.error, zlib.error, Image.DecompressionBombError)
_MOST_IDS = 2000  # on one frame; photographs and masks compressed with loss have many more colours


@dataclass(frozen=True)
class Header:
    """What the first 33 bytes of a PNG say."""

    width: int
    height: int
    bit_depth: int
    colour_type: int
    interlaced: bool

    @property
    def size(self) -> str:
        return f"{self.width} x {self.height}"

    @property
    def coloured(self) -> bool:
        return self.colour_type in _COLOURED


def read_header(path: str | Path) -> Header:
    """Size and coding of a mask, without decoding it.

    Raises:
        UnreadableMaskError: not a PNG, or one with more than 8 bits per colour, which cannot be ids.
    """
    try:
        with open(path, "rb") as file:
            return _parse_header(path, file.read(33))
    except OSError as error:
        raise UnreadableMaskError(f"{path}: cannot be read ({error.strerror or error})") from error


def _parse_header(path: str | Path, start: bytes) -> Header:
    if not start:
        raise UnreadableMaskError(f"{path}: the file is empty")
    if len(start) < 33 or not start.startswith(_SIGNATURE) or start[12:16] != b"IHDR":
        raise UnreadableMaskError(f"{path}: not a PNG file")
    if zlib.crc32(start[12:29]).to_bytes(4, "big") != start[29:33]:
        raise UnreadableMaskError(f"{path}: damaged PNG (the checksum of its header is wrong)")
    width, height, bit_depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", start[16:29])
    if bit_depth == 16 and colour_type != _GREY:
        raise UnreadableMaskError(f"{path}: has 16 bits per colour channel; ids are palette, grey or 8-bit RGB")
    return Header(width, height, bit_depth, colour_type, bool(interlace))


def read_labels(path: str | Path, palette_path: str | Path | None = None) -> np.ndarray:
    """Object ids (H, W) of a mask file, uint8, uint16 or int32; 0 is background.

    Args:
        path: the mask.
        palette_path: a mask (the truth of that frame) whose palette may explain the colours of an RGB mask.

    Raises:
        UnreadableMaskError: damaged, partly transparent, or with so many values that they cannot be ids.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UnreadableMaskError(f"{path}: cannot be read ({error.strerror or error})") from error
    header = _parse_header(path, data[:33])
    try:
        labels = _plain_rows(data, header) if _may_be_plain(header) else None
        if labels is None:
            labels = _decode_with_pillow(path, data, header, palette_path)
    except UnreadableMaskError:
        raise
    except _DECODING_ERRORS as error:
        raise UnreadableMaskError(f"{path}: damaged PNG ({error})") from error
    if labels.dtype != np.uint8 and (count := len(_distinct(labels))) > _MOST_IDS:
        raise UnreadableMaskError(f"{path}: has {count} different values or colours; they are hardly ids")
    return labels


def _may_be_plain(header: Header) -> bool:
    """Encoders filter the rows of 8-bit grey and of colours, but seldom those of palette or few-bit PNGs."""
    few_bits = header.colour_type == _GREY and header.bit_depth < 8
    return (header.colour_type == _PALETTE or few_bits) and not header.interlaced


def _plain_rows(data: bytes, header: Header) -> np.ndarray | None:
    """Pixels of a one-channel PNG none of whose rows is filtered, as palette masks are written; None otherwise.

    Inflating is then all there is to do, which takes about half the time of a general decoder.
    """
    row_bytes = (header.width * header.bit_depth + 7) // 8
    inflated = zlib.decompress(_compressed_pixels(data), bufsize=header.height * (row_bytes + 1))
    if len(inflated) != header.height * (row_bytes + 1):
        raise ValueError(f"{len(inflated)} bytes of pixels instead of {header.height * (row_bytes + 1)}")
    rows = np.frombuffer(inflated, np.uint8).reshape(header.height, row_bytes + 1)
    if rows[:, 0].any():
        return None
    return _unpacked(rows[:, 1:], header.bit_depth)[:, : header.width]


def _compressed_pixels(data: bytes) -> bytes:
    parts: list[bytes] = []
    position = len(_SIGNATURE)
    while True:
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IEND":
            return parts[0] if len(parts) == 1 else b"".join(parts)
        if kind == b"IDAT":
            parts.append(data[position + 8 : position + 8 + length])
        position += length + 12


def _unpacked(packed: np.ndarray, bit_depth: int) -> np.ndarray:
    """One pixel per byte (H, n) from 1, 2, 4 or 8 bits per pixel (H, n * bit_depth / 8)."""
    if bit_depth == 8:
        return packed
    if bit_depth == 1:
        return np.unpackbits(packed, axis=1)
    shifts = np.arange(8 - bit_depth, -1, -bit_depth, dtype=np.uint8)
    pixels = (packed[:, :, None] >> shifts) & np.uint8(2**bit_depth - 1)
    return pixels.reshape(len(packed), -1)


def _decode_with_pillow(path: str | Path, data: bytes, header: Header, palette_path: str | Path | None) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image)
    if header.colour_type == _PALETTE:
        return pixels
    if header.colour_type == _GREY:
        # Pillow spreads 2- and 4-bit greys over 0..255; ids are the stored values.
        spread = {2: 85, 4: 17}.get(header.bit_depth, 1)
        return pixels.astype(np.uint8 if header.bit_depth <= 8 else np.uint16) // np.uint8(spread)
    if header.colour_type in (_GREY_ALPHA, _RGBA):
        if (pixels[:, :, -1] != 255).any():
            raise UnreadableMaskError(f"{path}: partly transparent, so its pixels are no object ids")
        pixels = pixels[:, :, :-1]
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    return _ids_of_colours(pixels, palette_path)


def _ids_of_colours(colours: np.ndarray, palette_path: str | Path | None) -> np.ndarray:
    """Ids (H, W) of an RGB mask (H, W, 3): grey values, palette entries of the truth, or R + 256 G + 65536 B."""
    red = colours[:, :, 0]
    if np.array_equal(red, colours[:, :, 1]) and np.array_equal(red, colours[:, :, 2]):
        return red
    codes = _codes(colours)
    palette = _palette_codes(palette_path) if palette_path is not None else {}
    present = _distinct(codes)
    if palette and all(int(code) in palette for code in present):
        indices = np.array([palette[int(code)] for code in present], np.uint8)
        return indices[np.searchsorted(present, codes)]
    return codes


def _codes(colours: np.ndarray) -> np.ndarray:
    """R + 256 G + 65536 B, int32, of colours (..., 3)."""
    red, green, blue = np.moveaxis(colours.astype(np.int32), -1, 0)
    return red + (green << 8) + (blue << 16)


def _distinct(labels: np.ndarray) -> np.ndarray:
    """The values that occur, ascending; looks at one pixel of each run only."""
    flat = labels.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return np.unique(np.append(flat[changes], flat[:1]))


def _palette_codes(path: str | Path) -> dict[int, int]:
    """Index of each colour (coded R + 256 G + 65536 B) of a file's palette, the first where a colour repeats."""
    with Image.open(path) as image:
        if image.mode != "P":
            return {}
        entries = np.array(image.getpalette("RGB")).reshape(-1, 3)
    return {int(code): index for index, code in reversed(list(enumerate(_codes(entries))))}
