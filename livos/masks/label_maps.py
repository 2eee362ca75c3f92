"""Mask files <-> integer labels: what a pixel of a mask file means, and how to write labels in the same way.

`read_labels` recognises the coding from the file (docs/masks.md has the rules in a table), and `write_labels` writes
with a given one, so that a prediction is coded like the mask that the user provided.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from livos.files.atomic import written_aside
from livos.files.image_formats import PathLike
from livos.files.images import Picture, read_picture
from livos.files.picture_series import holds_several, read_page
from livos.masks.doubtful_masks import (
    SOFT_INDICES,
    SOFT_VALUES,
    count_values,
    refuse_background_elsewhere,
    refuse_dithering,
    refuse_soft_edges,
)

Labels = npt.NDArray[np.int32]
Pixels = npt.NDArray[np.integer[Any]]

COLOUR_RULES = ("auto", "palette", "ids")
_LARGEST_ID = {
    "palette": 255,  # 8-bit palette image, the index is the id
    "grey": 255,  # 8-bit greyscale, the value is the id
    "grey16": 65535,  # 16-bit greyscale, the value is the id
    "binary": 1,  # 8-bit greyscale, 255 is object 1
    "bilevel": 1,  # 1-bit greyscale, white is object 1
    "colours": 255,  # RGB image in the colours of the DAVIS palette
    "rgb_ids": 2**24 - 1,  # RGB image, the id is R + 256 G + 65536 B
}


@cache
def davis_palette() -> npt.NDArray[np.uint8]:
    """The colours of DAVIS and PASCAL VOC, (256, 3) RGB: three bits of the id at a time, from the highest bit down."""
    ids = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for place in range(8):
        for channel in range(3):
            palette[:, channel] |= (((ids >> (3 * place + channel)) & 1) << (7 - place)).astype(np.uint8)
    palette.setflags(write=False)
    return palette


@dataclass(frozen=True)
class LabelCoding:
    """How a mask file says which object a pixel belongs to.

    Attributes:
        kind: `palette` (8-bit image, the index is the id), `grey` or `grey16` (the value is the id), `binary` (255 is
            object 1), `bilevel` (1-bit image, white is object 1), `colours` (RGB in the colours of the DAVIS palette)
            or `rgb_ids` (RGB, the id is R + 256 G + 65536 B).
        palette: 256 RGB triples, for `palette`. None means the DAVIS palette.

    Raises:
        ValueError: If the kind is unknown.
    """

    kind: str = "palette"
    palette: bytes | None = None

    def __post_init__(self) -> None:
        if self.kind not in _LARGEST_ID:
            raise ValueError(f"unknown mask coding {self.kind!r}, known: {', '.join(_LARGEST_ID)}")

    @property
    def largest_id(self) -> int:
        """The largest object id that such a file can hold."""
        return _LARGEST_ID[self.kind]

    def widened(self, largest_id: int) -> "LabelCoding":
        """Finds a coding for larger ids.

        Args:
            largest_id: The largest id that has to be written.

        Returns:
            This coding if it can hold the id; otherwise the first of `palette` and `rgb_ids` that can.

        Raises:
            ValueError: If the id is above 16777215.
        """
        for coding in (self, LabelCoding("palette"), LabelCoding("rgb_ids")):
            if largest_id <= coding.largest_id:
                return coding
        raise ValueError(f"object id {largest_id} is above 16777215, the largest that a mask file can hold")


@dataclass(frozen=True)
class LabelMap:
    """The labels of one mask file, and how the file codes them.

    Attributes:
        labels: (H, W) int32 object ids, 0 for background.
        coding: How the file codes them. Pass it to `write_labels` to write masks in the same way.
    """

    labels: Labels
    coding: LabelCoding

    @property
    def ids(self) -> list[int]:
        """The ids of the objects in the mask, in ascending order, without background."""
        return object_ids(self.labels)


def object_ids(labels: Pixels) -> list[int]:
    """The ids in a label map in ascending order, without 0."""
    return [int(value) for value in count_values(labels)[0] if value != 0]


def read_labels(
    path: PathLike,
    *,
    void_id: int | None = None,
    colours: str = "auto",
    coding: LabelCoding | None = None,
    page: int | None = None,
) -> LabelMap:
    """Reads a mask file and recognises its coding.

    Args:
        path: The mask: a palette, greyscale, 1-bit, RGB or RGBA image (docs/masks.md has the rules).
        void_id: A value that means "not annotated" and becomes background (255 in DAVIS 2017).
        colours: What RGB images contain: `palette` (colours of the DAVIS palette), `ids` (R + 256 G + 65536 B), or
            `auto`, which means the former if every colour is in that palette.
        coding: The coding, if it is known, as for files that `write_labels` wrote. Then nothing is guessed or refused.
        page: Which of several pictures in the file, from 0. None: there must be only one.

    Returns:
        The labels, (H, W) int32 with 0 for background, and the coding.

    Raises:
        ValueError: If the file, which the message names, is not a picture, is damaged, is a JPEG, or can be read in
            two ways because it holds several pictures, has soft (antialiased) edges, is dithered, or has its background
            at an index other than 0; or it has the many colours of a photograph.
        OSError: If it cannot be read.
    """
    if colours not in COLOUR_RULES:
        raise ValueError(f"colours={colours!r}, expected one of {', '.join(COLOUR_RULES)}")
    path = Path(path)
    picture = read_mask_file(path, page)
    pixels = picture.pixels
    assert pixels is not None
    if coding is not None:
        return LabelMap(_decode(pixels, coding, path), coding)
    found = guess_labels(picture, pixels, path, void_id, colours)
    return replace(found, labels=found.labels.astype(np.int32))


def guess_labels(
    picture: Picture, pixels: Pixels, path: Path, void_id: int | None = None, colours: str = "auto"
) -> LabelMap:
    """Like `read_labels`, but uint8 stays uint8, which is faster. pixels: those of the picture."""
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return _labels_of_cut_out(picture, pixels, path, void_id, colours)
    return _guess(picture, pixels, path, void_id, colours)


def read_area(path: PathLike) -> npt.NDArray[np.bool_]:
    """Where the one object of a mask is, (H, W): palette indices and 1-bit values above 0, greys in the upper half.

    Unlike `read_labels`, it accepts soft edges and thresholds them. It is for sets with one object per image.

    Raises:
        ValueError: If the file, which is named, is not a picture, is damaged, is a JPEG, or has colours or
            transparency.
        OSError: If it cannot be read.
    """
    path = Path(path)
    picture = read_mask_file(path)
    pixels = picture.pixels
    assert pixels is not None
    if pixels.ndim == 3:
        grey = pixels[..., 0]
        if (pixels[..., 1:3] != grey[..., None]).any() or (pixels[..., 3:] != 255).any():
            raise ValueError(f"{path}: has colours or transparency; expected a mask of one object, black and white")
        pixels = grey
    if picture.mode in ("P", "1"):
        return pixels > 0
    highest = 2**picture.grey_bits - 1 if pixels.dtype == np.uint8 else 65535
    return pixels >= (highest + 1) // 2


def write_labels(
    path: PathLike, labels: Pixels, coding: LabelCoding | None = None, note: PngInfo | None = None
) -> None:
    """Writes a mask as PNG, atomically.

    Args:
        path: The file. An existing file is replaced.
        labels: (H, W) integer object ids, 0 for background.
        coding: How to write them, as in `LabelMap.coding`. By default an 8-bit image with the DAVIS palette.
        note: Text to store in the file (`livos.masks.confidence_notes` makes it).

    Raises:
        ValueError: If the coding cannot hold an id.
        OSError: If the file, which the message names, cannot be written.
    """
    path, coding = Path(path), coding or LabelCoding()
    image = _encode(np.asarray(labels), coding, path)
    try:
        with written_aside(path) as aside:
            image.save(aside, format="PNG", compress_level=1, pnginfo=note)
    except OSError as error:
        raise OSError(error.errno, f"cannot write the mask ({error.strerror or error})", str(path)) from error


def read_mask_file(path: Path, page: int | None = None) -> Picture:
    """The mask file with its stored values: (H, W) for palette, greyscale and 1-bit, (H, W, 3 or 4) for colour."""
    picture = read_picture(path) if page is None else read_page(path, page)
    if page is None and picture.may_be_several and holds_several(path):
        raise ValueError(f"{path}: holds several pictures; expected one mask in each file")
    if fault := fault_of_kind(picture):
        raise ValueError(f"{path}: {fault}")
    if picture.mode == "P":
        return replace(picture, palette=_full_palette(picture.palette or b""))
    if picture.mode == "L" and picture.grey_bits < 8:  # Pillow scales the stored values to 0 to 255
        return replace(picture, pixels=picture.pixels // np.uint8(255 // (2**picture.grey_bits - 1)))
    return picture


def fault_of_kind(picture: Picture) -> str | None:
    """Why a picture of this format and mode cannot be a mask, or None; its pixels do not matter."""
    if picture.format == "JPEG":
        return "a mask saved as JPEG has lost its exact values; save masks as PNG"
    if picture.mode in ("P", "L", "1", "RGB", "RGBA", "LA", "PA", "La", "RGBa", "RGBX") or picture.mode[:1] == "I":
        return None
    return f"image mode {picture.mode} is not supported for masks; save it as palette or greyscale PNG"


def _full_palette(entries: bytes) -> bytes:
    """A file's palette, completed with the DAVIS colours if it is short."""
    return entries[:768] + davis_palette().tobytes()[len(entries) :]


def _guess(picture: Picture, pixels: Pixels, path: Path, void_id: int | None, colours: str) -> LabelMap:
    """Labels and coding from what the file holds. pixels: (H, W) or (H, W, 3)."""
    if pixels.dtype == bool:
        refuse_dithering(pixels.astype(np.uint8), path)
        return LabelMap(pixels.astype(np.int32), LabelCoding("bilevel"))
    if pixels.ndim == 3:
        red, green, blue = (pixels[..., channel] for channel in range(3))
        if colours != "auto" or (red != green).any() or (green != blue).any():
            return _guess_colours(pixels, path, void_id, colours)
        pixels = red  # grey saved as RGB
    if void_id is not None:
        pixels = np.where(pixels == void_id, pixels.dtype.type(0), pixels)
    if picture.palette is not None:
        if int(pixels.max(initial=0)) >= SOFT_INDICES or any(picture.palette[:3]):  # else there is nothing to check
            values = refuse_soft_edges(pixels, path, SOFT_INDICES)
            refuse_background_elsewhere(values, picture.palette, path)
        refuse_dithering(pixels, path)
        return LabelMap(pixels, LabelCoding("palette", picture.palette))  # type: ignore[arg-type]  # bytes, maybe
    return _guess_grey(picture, _checked_int32(pixels, path) if pixels.dtype != np.uint8 else pixels, path)


def _guess_grey(picture: Picture, pixels: Pixels, path: Path) -> LabelMap:
    """Labels of a greyscale image: ids, or white on black."""
    white = 2**picture.grey_bits - 1
    if picture.mode[0] == "I" and pixels.size and pixels.max() > 255:
        white = 65535
    values = refuse_soft_edges(pixels, path, SOFT_VALUES, white)
    refuse_dithering(pixels, path)
    if white in values and set(values.tolist()) <= {0, white}:
        return LabelMap((pixels == white).astype(np.int32), LabelCoding("binary"))
    coding = LabelCoding("grey16" if picture.mode[0] == "I" else "grey")
    return LabelMap(pixels, coding)  # type: ignore[arg-type]  # bytes, maybe


def _guess_colours(pixels: Pixels, path: Path, void_id: int | None, colours: str) -> LabelMap:
    """Labels of an RGB image: colours of the DAVIS palette, or ids spread over the channels."""
    codes = _join_channels(pixels)
    values = refuse_soft_edges(codes, path, SOFT_VALUES)
    refuse_dithering(codes, path)
    known = np.isin(values, _join_channels(davis_palette()))
    kind = "colours" if colours == "palette" or (colours == "auto" and known.all()) else "rgb_ids"
    labels = _decode(pixels, LabelCoding(kind), path)
    if void_id is not None:
        labels[labels == void_id] = 0
    return LabelMap(labels, LabelCoding(kind))


def _labels_of_cut_out(picture: Picture, pixels: Pixels, path: Path, void_id: int | None, colours: str) -> LabelMap:
    """Labels of RGBA (H, W, 4): if it is opaque, it is an RGB mask; otherwise object 1 is where alpha is above 127."""
    opaque = pixels[..., 3] > 127
    if (pixels[..., 3] == 255).all():
        return _guess(picture, pixels[..., :3], path, void_id, colours)
    num_colours = len(count_values(_join_channels(pixels[opaque]))[0])
    if 1 < num_colours <= 64 and opaque.sum() >= 16 * num_colours:  # flat colours, not a photograph
        raise ValueError(
            f"{path}: transparent, with {num_colours} opaque colours: one cut-out object, or one object per colour? "
            "Save it without transparency for the latter, in a single colour for the former"
        )
    return LabelMap(opaque.astype(np.int32), LabelCoding("binary"))


def _checked_int32(pixels: Pixels, path: Path) -> Labels:
    labels = pixels.astype(np.int32)
    if labels.size and (labels.min() < 0 or labels.max() > 2**24 - 1):
        raise ValueError(f"{path}: values from {labels.min()} to {labels.max()}, expected ids from 0 to 16777215")
    return labels


def _join_channels(pixels: Pixels) -> Labels:
    """(..., 3) bytes to R + 256 G + 65536 B."""
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    return red | green << 8 | blue << 16


def _split_channels(codes: Pixels) -> npt.NDArray[np.uint8]:
    """R + 256 G + 65536 B to (..., 3) bytes."""
    return np.stack([codes & 255, codes >> 8 & 255, codes >> 16 & 255], -1).astype(np.uint8)


def _decode(pixels: Pixels, coding: LabelCoding, path: Path) -> Labels:
    """Labels of pixels whose coding is known."""
    in_colour = coding.kind in ("colours", "rgb_ids")
    if (pixels.ndim == 3) != in_colour:
        raise ValueError(f"{path}: expected a mask with coding {coding.kind!r}, found pixels of shape {pixels.shape}")
    if coding.kind in ("binary", "bilevel"):
        return (pixels > 0).astype(np.int32)
    if not in_colour:
        return _checked_int32(pixels, path)
    codes = _join_channels(pixels)
    if coding.kind == "rgb_ids":
        return codes
    palette_codes = _join_channels(davis_palette())
    order = np.argsort(palette_codes)
    labels = order[np.searchsorted(palette_codes, codes, sorter=order) % 256].astype(np.int32)
    if (palette_codes[labels] != codes).any():
        raise ValueError(f"{path}: contains a colour that is not in the DAVIS palette")
    return labels


def _encode(labels: Pixels, coding: LabelCoding, path: Path) -> Image.Image:
    if labels.ndim != 2 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{path}: expected integer labels (H, W), got {labels.dtype} {labels.shape}")
    if labels.size and (labels.min() < 0 or labels.max() > coding.largest_id):
        raise ValueError(
            f"{path}: ids from {labels.min()} to {labels.max()}; a {coding.kind} mask can hold 0 to {coding.largest_id}"
        )
    if coding.kind == "rgb_ids":
        return Image.fromarray(_split_channels(labels.astype(np.int32)))
    if coding.kind == "colours":
        return Image.fromarray(davis_palette()[labels])
    if coding.kind == "grey16":
        return Image.fromarray(labels.astype(np.uint16))
    if coding.kind == "bilevel":
        return Image.fromarray(labels.astype(bool))
    image = Image.fromarray((labels * 255 if coding.kind == "binary" else labels).astype(np.uint8))
    if coding.kind == "palette":
        image.putpalette(coding.palette or davis_palette().tobytes())
    return image
