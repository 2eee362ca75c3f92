"""Tiny generated videos and data sets in the official layouts, for tests."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from livos.commands.datasets import load_settings
from livos.config.schema import TestSetConfig
from livos.masks.label_maps import LabelCoding, write_labels

SIZE = (24, 32)  # (H, W) of every frame


def labels_with(*ids: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Labels (H, W) with a square of 4 x 4 pixels for each id, on background."""
    labels = np.zeros(size, np.int32)
    for place, value in enumerate(ids):
        row, column = 5 * (place // 6), 5 * (place % 6)
        labels[row : row + 4, column : column + 4] = value
    return labels


def write_frame(path: Path, size: tuple[int, int] = SIZE, value: int = 100) -> Path:
    """A frame of one colour except for a noisy corner."""
    pixels = np.full((*size, 3), value, np.uint8)
    pixels[:8, :8] = np.random.default_rng(value).integers(0, 255, (8, 8, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write_mask(path: Path, labels: np.ndarray, kind: str = "palette") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_labels(path, labels, LabelCoding(kind))
    return path


def write_video(
    images: Path,
    masks: Path,
    name: str,
    frames: Sequence[str],
    given: Mapping[str, Sequence[int]],
    suffix: str = ".jpg",
) -> None:
    """Frames in `<images>/<name>/`, and for each frame in `given` a mask with these ids in `<masks>/<name>/`."""
    for number, frame in enumerate(frames):
        write_frame(images / name / f"{frame}{suffix}", value=20 + number)
    for frame, ids in given.items():
        write_mask(masks / name / f"{frame}.png", labels_with(*ids))


def numbered(count: int, step: int = 1) -> list[str]:
    return [f"{number:05d}" for number in range(0, count * step, step)]


def settings_of(name: str, root: Path, **overrides: object) -> TestSetConfig:
    """The settings of an official set below `root`."""
    return load_settings(name, [f"data_root={root}", *(f"{key}={value}" for key, value in overrides.items())])


def generic(root: Path, **overrides: object) -> TestSetConfig:
    """The settings for `<root>/images` and `<root>/masks`."""
    folders = {"image_directory": str(root / "images"), "mask_directory": str(root / "masks")}
    return TestSetConfig("generic", **{**folders, **overrides})


def big_png(height: int, width: int) -> bytes:
    """A valid greyscale PNG of zeros, small however large it claims to be."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
