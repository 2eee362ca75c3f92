"""From mask files to object ids.

A mask is a PNG whose pixels are object ids: palette indices, grey values (1 to 16 bits), or ids coded as colours,
id = R + 256 G + 65536 B. A coloured mask whose colours are all in the palette of the true mask is read with that
palette. A grey mask of 2 or 4 bits with only 0 and the highest value is black and white: white is object 1.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from .errors import UnreadableMaskError
from .png import GREY, GREY_ALPHA, MAX_PIXELS, PALETTE, RGBA, Header, Png, bare, inflated_rows, read_png

VOID = 255

DECODING_ERRORS = (OSError, SyntaxError, ValueError, struct.error, zlib.error, Image.DecompressionBombError)
_MOST_IDS = 2000  # on one frame; photographs and masks with lossy compression have many more colours


@dataclass(frozen=True)
class Mask:
    """A mask file that was read.

    Attributes:
        labels: object ids (H, W), uint8, uint16 or int32; 0 is background.
        header: size and coding of the file.
        palette: colours (N, 3), uint8, if the ids are palette indices.
        white: whether it is a grey mask of 2 or 4 bits whose highest value was treated as white, that is, object 1.
    """

    labels: np.ndarray
    header: Header
    palette: np.ndarray | None = None
    white: bool = False


def read_labels(path: str | Path, palette: np.ndarray | None = None, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The object ids (H, W) that `read_mask` finds."""
    return read_mask(path, palette, max_pixels).labels


def read_mask(path: str | Path, palette: np.ndarray | None = None, max_pixels: int = MAX_PIXELS) -> Mask:
    """Reads a mask file.

    Args:
        path: The mask.
        palette: Colours (N, 3), uint8, of another mask (the frame's truth) that may explain those of an RGB mask.
        max_pixels: A mask that claims more is refused before any pixel is decompressed.

    Raises:
        UnreadableMaskError: If it is damaged, too large, partly transparent, or has too many values to be ids.
    """
    png = read_png(path, max_pixels)
    header = png.header
    labels = _plain_rows(png) if _may_be_plain(header) else None
    if labels is None:
        labels = _decode(png, palette)
    if labels.dtype != np.uint8 and (count := len(_distinct(labels))) > _MOST_IDS:
        raise UnreadableMaskError(f"{path}: has {count} different values or colours; they are hardly ids")
    if header.colour_type == PALETTE:
        return Mask(labels, header, png.palette)
    if header.colour_type == GREY and header.bit_depth in (2, 4) and _is_black_and_white(labels, header.bit_depth):
        return Mask(np.minimum(labels, 1), header, white=True)
    return Mask(labels, header)


def _is_black_and_white(labels: np.ndarray, bit_depth: int) -> bool:
    return set(_distinct(labels).tolist()) in ({2**bit_depth - 1}, {0, 2**bit_depth - 1})


def _may_be_plain(header: Header) -> bool:
    """Encoders filter the rows of 8-bit grey and colour PNGs, but rarely those of palette or few-bit PNGs."""
    few_bits = header.colour_type == GREY and header.bit_depth < 8
    return (header.colour_type == PALETTE or few_bits) and not header.interlaced


def _plain_rows(png: Png) -> np.ndarray | None:
    """Pixels of a one-channel PNG without filtered rows, which is how palette masks are written; None otherwise.

    Then only decompression is needed, which takes about half the time of a general decoder.
    """
    rows = inflated_rows(png)
    if rows[:, 0].any():
        return None
    return _unpacked(rows[:, 1:], png.header.bit_depth)[:, : png.header.width]


def _unpacked(packed: np.ndarray, bit_depth: int) -> np.ndarray:
    """One pixel per byte (H, n) from 1, 2, 4 or 8 bits per pixel (H, n * bit_depth / 8)."""
    if bit_depth == 8:
        return packed
    if bit_depth == 1:
        return np.unpackbits(packed, axis=1)
    shifts = np.arange(8 - bit_depth, -1, -bit_depth, dtype=np.uint8)
    pixels = (packed[:, :, None] >> shifts) & np.uint8(2**bit_depth - 1)
    return pixels.reshape(len(packed), -1)


def _decode(png: Png, palette: np.ndarray | None) -> np.ndarray:
    header, pixels = png.header, _pillow_pixels(png)
    if header.colour_type == PALETTE:
        return pixels
    if header.colour_type == GREY:
        # Pillow scales 2- and 4-bit greys to 0..255; ids are the stored values.
        spread = {2: 85, 4: 17}.get(header.bit_depth, 1)
        return pixels.astype(np.uint8 if header.bit_depth <= 8 else np.uint16) // np.uint8(spread)
    if header.colour_type in (GREY_ALPHA, RGBA):
        if (pixels[:, :, -1] != 255).any():
            raise UnreadableMaskError(f"{png.path}: partly transparent, so its pixels are not object ids")
        pixels = pixels[:, :, :-1]
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    return _ids_of_colours(pixels, palette)


def _pillow_pixels(png: Png) -> np.ndarray:
    """Pixels as decoded by Pillow. Its PNG reader is called directly: the size was checked, and nothing is guessed."""
    try:
        with PngImagePlugin.PngImageFile(io.BytesIO(bare(png))) as image:
            return np.asarray(image)
    except DECODING_ERRORS as error:
        raise UnreadableMaskError(f"{png.path}: damaged PNG ({error})") from error


def _ids_of_colours(colours: np.ndarray, palette: np.ndarray | None) -> np.ndarray:
    """Ids (H, W) of an RGB mask (H, W, 3): grey values, palette entries of the truth, or R + 256 G + 65536 B."""
    red = colours[:, :, 0]
    if np.array_equal(red, colours[:, :, 1]) and np.array_equal(red, colours[:, :, 2]):
        return red
    codes = _codes(colours)
    index_of = _first_index_by_code(palette) if palette is not None else {}
    present = _distinct(codes)
    if index_of and all(int(code) in index_of for code in present):
        indices = np.array([index_of[int(code)] for code in present], np.uint8)
        return indices[np.searchsorted(present, codes)]
    return codes


def _codes(colours: np.ndarray) -> np.ndarray:
    """R + 256 G + 65536 B, int32, of colours (..., 3)."""
    red, green, blue = np.moveaxis(colours.astype(np.int32), -1, 0)
    return red + (green << 8) + (blue << 16)


def _distinct(labels: np.ndarray) -> np.ndarray:
    """The values that occur, ascending; checks only one pixel of each run."""
    flat = labels.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return np.unique(np.append(flat[changes], flat[:1]))


def _first_index_by_code(palette: np.ndarray) -> dict[int, int]:
    """The index of each colour (coded R + 256 G + 65536 B) of a palette, the first one if a colour repeats."""
    return {int(code): index for index, code in reversed(list(enumerate(_codes(palette))))}
