"""PNG files: size, checksums and chunks, checked before any pixel is decompressed."""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import UnreadableMaskError

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
MAX_PIXELS = 100_000_000  # of a mask; three times as many as in a frame of 8K video

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_LENGTH = 33  # the signature and the chunk IHDR
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
_BIT_DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8,), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8,), RGBA: (8,)}
_MOST_INFLATION = 1032  # the largest compression ratio of the format
_HARMLESS = 64 << 20  # bytes


@dataclass(frozen=True)
class Header:
    """The contents of the first 33 bytes of a PNG."""

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
        return self.colour_type in (RGB, RGBA)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of pixels, without the one that names its filter."""
        return (self.width * _CHANNELS[self.colour_type] * self.bit_depth + 7) // 8


@dataclass(frozen=True)
class Png:
    """A PNG whose checksums are correct.

    Attributes:
        path: The file.
        header: Its size and coding.
        start: The bytes of the header.
        palette: Colours (N, 3), uint8; None if there is no palette.
        compressed: The pixels, not yet decompressed.
    """

    path: str
    header: Header
    start: bytes
    palette: np.ndarray | None
    compressed: bytes


def read_header(path: str | Path, max_pixels: int = MAX_PIXELS) -> Header:
    """Size and coding of a PNG, without decoding it.

    Raises:
        UnreadableMaskError: If it is not a PNG, has more than 8 bits per colour, which cannot be ids, or has more than
            `max_pixels` pixels.
    """
    return _parse_header(path, _read(path, _HEADER_LENGTH), max_pixels)


def read_png(path: str | Path, max_pixels: int = MAX_PIXELS) -> Png:
    """The file, with all checksums verified.

    Raises:
        UnreadableMaskError: Like `read_header`, and if it is damaged or truncated.
    """
    data = _read(path)
    header = _parse_header(path, data[:_HEADER_LENGTH], max_pixels)
    palette, parts = None, []
    for kind, body in _chunks(path, data):
        if kind == b"IDAT":
            parts.append(body)
        elif kind == b"PLTE":
            if len(body) % 3 or not 0 < len(body) <= 3 * 256:
                raise UnreadableMaskError(f"{path}: damaged PNG (a palette of {len(body)} bytes)")
            palette = np.frombuffer(body, np.uint8).reshape(-1, 3)
    if header.colour_type == PALETTE and palette is None:
        raise UnreadableMaskError(f"{path}: damaged PNG (its palette is missing)")
    return Png(str(path), header, data[:_HEADER_LENGTH], palette, b"".join(parts))


def bare(png: Png) -> bytes:
    """The file without everything that does not change its pixels: texts, profiles, animation, transparent colours."""
    palette = b"" if png.palette is None else _chunk(b"PLTE", png.palette.tobytes())
    return png.start + palette + _chunk(b"IDAT", png.compressed) + _chunk(b"IEND", b"")


def inflated_rows(png: Png) -> np.ndarray:
    """Rows (H, 1 + row_bytes), uint8, of a PNG that is not interlaced; the first byte of each names its filter.

    Not much more is decompressed than the header promises, whatever the file contains.

    Raises:
        UnreadableMaskError: If the file contains more or fewer pixels than its header says.
    """
    height, row_bytes = png.header.height, png.header.row_bytes + 1
    expected = height * row_bytes
    try:
        inflated = _inflate(png.compressed, expected)
    except zlib.error as error:
        raise UnreadableMaskError(f"{png.path}: damaged PNG ({error})") from error
    if len(inflated) != expected:
        found = "more" if len(inflated) > expected else len(inflated)
        raise UnreadableMaskError(f"{png.path}: damaged PNG ({found} bytes of pixels instead of {expected})")
    return np.frombuffer(inflated, np.uint8).reshape(height, row_bytes)


def _inflate(compressed: bytes, expected: int) -> bytes:
    """The decompressed bytes, or just enough of them to see that there are too many."""
    if len(compressed) * _MOST_INFLATION <= _HARMLESS:
        return zlib.decompress(compressed, bufsize=expected)  # a little faster, as it knows how much memory to take
    decoder = zlib.decompressobj()
    inflated = decoder.decompress(compressed, expected + 1)
    if len(inflated) == expected and not decoder.eof:
        raise zlib.error("the pixels are cut short")
    return inflated


def _read(path: str | Path, count: int = -1) -> bytes:
    """The file, or its first `count` bytes."""
    if not os.path.isfile(path) and os.path.exists(path):  # opening a pipe would wait for its other end
        raise UnreadableMaskError(f"{path}: not a file")
    try:
        with open(path, "rb") as file:
            return file.read(count)
    except OSError as error:
        raise UnreadableMaskError(f"{path}: cannot be read ({error.strerror or error})") from error


def _parse_header(path: str | Path, start: bytes, max_pixels: int) -> Header:
    if not start:
        raise UnreadableMaskError(f"{path}: the file is empty")
    if len(start) < _HEADER_LENGTH or not start.startswith(_SIGNATURE) or start[12:16] != b"IHDR":
        raise UnreadableMaskError(f"{path}: not a PNG file")
    if zlib.crc32(start[12:29]).to_bytes(4, "big") != start[29:33]:
        raise UnreadableMaskError(f"{path}: damaged PNG (the checksum of its header is wrong)")
    width, height, bit_depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", start[16:29])
    if bit_depth == 16 and colour_type in (RGB, GREY_ALPHA, RGBA):
        raise UnreadableMaskError(f"{path}: has 16 bits per colour channel; ids are palette, grey or 8-bit RGB")
    if bit_depth not in _BIT_DEPTHS.get(colour_type, ()):
        raise UnreadableMaskError(f"{path}: damaged PNG (no PNG has colour type {colour_type} with {bit_depth} bits)")
    if not width or not height:
        raise UnreadableMaskError(f"{path}: damaged PNG ({width} x {height} pixels)")
    if width * height > max_pixels:
        raise UnreadableMaskError(
            f"{path}: claims {width} x {height} pixels, more than the {max_pixels} allowed; "
            "if this is correct, raise the limit: --max-pixels (max_pixels)"
        )
    return Header(width, height, bit_depth, colour_type, bool(interlace))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))))


def _chunks(path: str | Path, data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) of each chunk up to IEND. Raises UnreadableMaskError if a checksum is wrong or the file ends."""
    view, position = memoryview(data), len(_SIGNATURE)
    while True:
        if position + 12 > len(data):
            raise UnreadableMaskError(f"{path}: damaged PNG (the file is cut short)")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            raise UnreadableMaskError(f"{path}: damaged PNG (the file is cut short)")
        if zlib.crc32(view[position + 4 : end]).to_bytes(4, "big") != data[end : end + 4]:
            raise UnreadableMaskError(f"{path}: damaged PNG (the checksum of chunk {ascii(kind)[2:-1]} is wrong)")
        if kind == b"IEND":
            return
        yield kind, data[position + 8 : end]
        position = end + 4
