"""The format of a picture, from its first bytes, and whether it is complete, undamaged and not too large.

All of this is checked before a decoder sees the file: some decoders start programs (PostScript), fill missing parts
with grey, or allocate whatever a header claims.
"""

import os
import struct
import zlib
from collections.abc import Iterator

PathLike = str | os.PathLike[str]

FORMATS = "PNG, JPEG, WebP, TIFF, BMP or GIF"
MAX_PIXELS = 100_000_000
"""The limit for a picture, unless LIVOS_MAX_PIXELS says otherwise; three times as many as in a frame of 8K video."""
SIGNATURE_LENGTH = 32

_SIGNATURES = (
    ("PNG", b"\x89PNG\r\n\x1a\n"), ("JPEG", b"\xff\xd8\xff"), ("GIF", b"GIF87a"), ("GIF", b"GIF89a"), ("BMP", b"BM"),
    ("TIFF", b"II*\0"), ("TIFF", b"MM\0*"), ("TIFF", b"II+\0"), ("TIFF", b"MM\0+"),
)  # fmt: skip
_OTHERS = (
    ("a PostScript program", b"%!"), ("an EPS picture", b"\xc5\xd0\xd3\xc6"), ("a PDF document", b"%PDF"),
    ("a Photoshop picture", b"8BPS"), ("a JPEG 2000 picture", b"\0\0\0\x0cjP  "), ("a JPEG XL picture", b"\xff\x0a"),
    ("an OpenEXR picture", b"v/1\x01"), ("a Windows metafile", b"\xd7\xcd\xc6\x9a"),
    ("a Windows metafile", b"\x01\0\0\0"), ("an HDF5 file", b"\x89HDF"), ("a FITS file", b"SIMPLE"),
    ("an OLE document", b"\xd0\xcf\x11\xe0"), ("a ZIP archive", b"PK\x03\x04"), ("a GZIP archive", b"\x1f\x8b"),
    ("the address of a file in Git LFS, not the file", b"version https://git-lfs"),
)  # fmt: skip
_BRANDS = {b"heic": "a HEIC picture", b"heix": "a HEIC picture", b"mif1": "a HEIF picture", b"avif": "an AVIF picture"}


def format_of(start: bytes, path: PathLike) -> str:
    """PNG, JPEG, WebP, TIFF, BMP or GIF, from the first `SIGNATURE_LENGTH` bytes of a file.

    Raises:
        ValueError: If it is something else, which the message names if it is known.
    """
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WebP"
    for name, signature in _SIGNATURES:
        if start.startswith(signature):
            return name
    raise ValueError(f"{path}: {_name_of_other(start)}; expected a picture in {FORMATS} format")


def _name_of_other(start: bytes) -> str:
    if not start.strip(b"\0"):
        return "not a readable image (the file is empty)" if not start else "not a readable image (only zeros)"
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12], "a video or a picture in a video's container")
    if start.lstrip()[:5].lower() in (b"<html", b"<!doc"):
        return "a web page"
    if start.lstrip()[:4].lower() in (b"<svg", b"<?xm"):
        return "an SVG drawing or another XML file"
    return next((name for name, signature in _OTHERS if start.startswith(signature)), "not a readable image")


def pixel_limit() -> int:
    """The largest number of pixels that a picture may claim: LIVOS_MAX_PIXELS or `MAX_PIXELS`.

    Raises:
        ValueError: If LIVOS_MAX_PIXELS is not a positive number.
    """
    text = os.environ.get("LIVOS_MAX_PIXELS", "").replace("_", "")
    if not text:
        return MAX_PIXELS
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise ValueError(f"LIVOS_MAX_PIXELS={text[:40]}: expected a number of pixels, such as {MAX_PIXELS}")
    return int(text)


def refuse_too_large(height: int, width: int, path: PathLike) -> None:
    """Raises ValueError for a picture that has no pixels, or claims more than `pixel_limit` allows."""
    if height < 1 or width < 1:
        raise ValueError(f"{path}: {width} x {height} pixels; the file is damaged")
    if height * width > pixel_limit():
        raise ValueError(
            f"{path}: claims {width} x {height} pixels, more than the {pixel_limit()} allowed; "
            f"if this is correct, set the environment variable LIVOS_MAX_PIXELS={height * width}"
        )


def refuse_damaged(data: bytes, picture_format: str, path: PathLike) -> None:
    """Raises ValueError for a JPEG or PNG file that is truncated, and for a PNG with a wrong checksum.

    Decoders silently fill missing parts with grey, and ignore the checksums of a PNG.
    """
    fault = None
    if picture_format == "JPEG" and data.rfind(b"\xff\xd9", _start_of_scan(data)) < 0:
        fault = f"{len(data)} bytes, without an end marker"
    elif picture_format == "PNG":
        fault = _fault_of_png(data)
    if fault:
        raise ValueError(f"{path}: the file is truncated or damaged ({fault})")


def size_in_header(data: bytes, picture_format: str) -> tuple[int, int] | None:
    """(H, W) of a JPEG or PNG if its header states it plainly; None: ask a decoder."""
    if picture_format == "PNG" and data[12:16] == b"IHDR" and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        return height, width
    if picture_format == "JPEG":
        for marker, position in _jpeg_segments(data):
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and position + 9 <= len(data):
                height, width = struct.unpack_from(">HH", data, position + 5)
                return (height, width) if height else None
    return None


def _fault_of_png(data: bytes) -> str | None:
    view, position = memoryview(data), 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(view[position + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            return f"the checksum of chunk {ascii(kind)[2:-1]} is wrong"
        if kind == b"IEND":
            return None
        position = end + 4
    return f"{len(data)} bytes, without an end marker"


def _start_of_scan(data: bytes) -> int:
    """Where a JPEG's picture data begin; before that, a thumbnail may have its own end marker."""
    return next((position for marker, position in _jpeg_segments(data) if marker == 0xDA), len(data))


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """(marker, position of its 0xFF) of each segment of a JPEG up to the start of its picture data."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # padding
            position += 1
            continue
        yield marker, position
        if marker == 0xDA:
            return
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
