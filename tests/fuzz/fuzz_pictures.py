"""Masks and frames: PNG in every coding, JPEG, WebP, TIFF, BMP and GIF, with damaged bytes and damaged chunks."""

import io
import random
from pathlib import Path

import numpy as np
from fuzz.damage import damaged
from fuzz.png_chunks import chunks_of, damaged_chunks, joined
from fuzz.watch import problems_of
from PIL import Image

from livos.evaluation.video import TestVideo
from livos.files.images import read_image
from livos.masks.given_masks import MaskFile
from livos.masks.label_maps import LabelCoding, read_labels, write_labels
from livos.training.data.training_files import mask_size, read_mask
from livos.training.data.training_files import read_image as read_training_image

SIZE = (48, 64)
LABELS = np.zeros(SIZE, np.int32)
LABELS[5:20, 5:25], LABELS[22:40, 30:60] = 1, 2
FRAME = np.random.default_rng(0).integers(60, 180, (*SIZE, 3), dtype=np.uint8)
KINDS = ("palette", "grey", "grey16", "colours", "rgb_ids", "binary", "bilevel")


def encoded(image: Image.Image, picture_format: str, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, picture_format, **options)
    return data.getvalue()


def whole_masks(folder: Path) -> dict[str, bytes]:
    """A mask in every coding, by name."""
    masks = {}
    for kind in KINDS:
        labels = LABELS if LabelCoding(kind).largest_id > 1 else np.minimum(LABELS, 1)
        write_labels(folder / "whole.png", labels, LabelCoding(kind))
        masks[kind] = (folder / "whole.png").read_bytes()
    opaque = np.uint8(255) * (LABELS > 0).astype(np.uint8)
    masks["cut-out"] = encoded(Image.fromarray(np.dstack([FRAME, opaque])), "PNG")
    indexed = Image.fromarray(LABELS.astype(np.uint8))
    indexed.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    for bits in (2, 4):
        masks[f"{bits} bits"] = encoded(indexed, "PNG", bits=bits)
    masks["gif"], masks["tiff"], masks["bmp"] = (encoded(indexed, name) for name in ("GIF", "TIFF", "BMP"))
    return masks


def whole_frames() -> dict[str, bytes]:
    """A frame in every format, by suffix."""
    image = Image.fromarray(FRAME)
    progressive = encoded(image, "JPEG", progressive=True)
    frames = {".jpg": encoded(image, "JPEG", quality=90), ".jpeg": progressive, ".png": encoded(image, "PNG")}
    return frames | {".webp": encoded(image, "WEBP"), ".tif": encoded(image, "TIFF"), ".bmp": encoded(image, "BMP")}


class Masks:
    """A damaged mask, read as an evaluation reads it."""

    name = "masks"

    def __init__(self, folder: Path) -> None:
        self.frame_path = folder / "frame.jpg"
        self.frame_path.write_bytes(whole_frames()[".jpg"])
        self.wholes = whole_masks(folder)
        self.path = folder / "input.png"
        self.expected: np.ndarray | None = None

    def make(self, chance: random.Random) -> None:
        whole = self.wholes[chance.choice(list(self.wholes))]
        self.path.write_bytes(whole)
        self.expected = None
        if whole.startswith(b"\x89PNG") and chance.random() < 0.5:
            self.path.write_bytes(damaged_chunks(whole, chance))
        else:
            self.expected = read_labels(self.path).labels if whole.startswith(b"\x89PNG") else None
            self.path.write_bytes(damaged(whole, chance))

    def read(self) -> str | None:
        labels = self.labels()
        if self.expected is not None and not np.array_equal(labels, self.expected):
            return "damaged bytes of a PNG were read as another mask"
        return None

    def labels(self) -> np.ndarray:
        video = TestVideo("v", (self.frame_path,), {"frame": MaskFile(self.path)})
        (frame,) = video
        assert frame.labels is not None
        return frame.labels


class TrainingMasks(Masks):
    """A damaged mask, read as training reads it."""

    name = "masks in training"

    def labels(self) -> np.ndarray:
        mask_size(self.path)
        return read_mask(self.path, binary=False).labels


class Frames:
    """A damaged frame, read by an evaluation and by training."""

    name = "frames"

    def __init__(self, folder: Path) -> None:
        self.folder, self.wholes = folder, whole_frames()
        self.path = folder / "input.jpg"
        self.is_png = False

    def make(self, chance: random.Random) -> None:
        suffix = chance.choice(list(self.wholes))
        self.path = self.folder / f"input{suffix}"
        in_chunks = suffix == ".png" and chance.random() < 0.5
        self.is_png = suffix == ".png" and not in_chunks
        self.path.write_bytes((damaged_chunks if in_chunks else damaged)(self.wholes[suffix], chance))

    def read(self) -> str | None:
        image = read_image(self.path)
        if self.is_png and not np.array_equal(image, FRAME):
            return "damaged bytes of a PNG were read as another frame"
        read_training_image(self.path, SIZE, reduction=2)
        return None


def run(seed: int, count: int, folder: Path) -> list[str]:
    """The problems with `count` damaged inputs of each kind; see tests/fuzz/watch.py."""
    assert joined(chunks_of(whole_frames()[".png"])) == whole_frames()[".png"]
    return [problem for kind in (Masks, TrainingMasks, Frames) for problem in problems_of(kind(folder), seed, count)]
