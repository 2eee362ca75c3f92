"""The masks of a project on disk: palette PNGs, each with a note that describes it in a text chunk of the same file.

A mask and its note change together, by one rename, so neither exists without the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from livos.files.atomic import written_aside
from livos.masks.label_maps import davis_palette, read_labels
from livos.studio.runs import Labels

_CHUNK = "livos"
DIRECTIONS = ("forward", "backward", "seam")


@dataclass(frozen=True)
class Track:
    """How an object's mask on a frame was tracked."""

    by: str  # one of DIRECTIONS
    confidence: float  # that the mask is correct, in [0, 1]


@dataclass(frozen=True)
class Given:
    """The masks of a frame that were given by hand."""

    labels: Labels  # (H, W), of these ids only
    ids: tuple[int, ...]  # ascending; an id without pixels was given as absent
    revision: int  # of the project when it was written


@dataclass(frozen=True)
class Tracked:
    """The masks of a frame that were tracked."""

    labels: Labels  # (H, W), of these objects only
    objects: Mapping[int, Track]  # by id; one may have no pixels
    revision: int


def write_given(path: Path, given: Given) -> None:
    """Writes the mask with its note atomically."""
    _write(path, given.labels, {"ids": list(given.ids), "revision": given.revision})


def write_tracked(path: Path, tracked: Tracked) -> None:
    """Writes the mask with its note atomically."""
    objects = {
        str(i): {"by": track.by, "confidence": round(track.confidence, 4)} for i, track in tracked.objects.items()
    }
    _write(path, tracked.labels, {"objects": objects, "revision": tracked.revision})


def read_given(path: Path, size: tuple[int, int]) -> Given:
    """Raises ValueError or OSError, naming the file, if it is not a given mask for a frame of this size (H, W)."""
    ids, revision = given_note(path)
    return Given(_pixels(path, size), ids, revision)


def read_tracked(path: Path, size: tuple[int, int]) -> Tracked:
    """Raises ValueError or OSError, naming the file, if it is not a tracked mask for a frame of this size (H, W)."""
    objects, revision = tracked_note(path)
    return Tracked(_pixels(path, size), objects, revision)


def given_note(path: Path) -> tuple[tuple[int, ...], int]:
    """The ids of a given mask and its revision, without reading its pixels. Raises ValueError or OSError."""
    note = _note(path)
    try:
        return tuple(sorted(int(i) for i in note["ids"])), int(note["revision"])
    except (KeyError, TypeError, ValueError) as error:
        raise _no_mask_of_studio(path, error) from error


def tracked_note(path: Path) -> tuple[dict[int, Track], int]:
    """The objects of a tracked mask and its revision, without reading its pixels. Raises ValueError or OSError."""
    note = _note(path)
    try:
        objects = {int(i): Track(str(t["by"]), float(t["confidence"])) for i, t in note["objects"].items()}
        if any(track.by not in DIRECTIONS for track in objects.values()):
            raise ValueError(f"unknown direction, expected one of {', '.join(DIRECTIONS)}")
        return objects, int(note["revision"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_mask_of_studio(path, error) from error


def only(labels: Labels, ids: tuple[int, ...] | list[int]) -> Labels:
    """The (H, W) labels with every other id set to background."""
    kept = np.zeros(256, np.uint8)
    kept[list(ids)] = list(ids)
    return kept[labels]


def _write(path: Path, labels: Labels, note: Mapping[str, Any]) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text(_CHUNK, json.dumps(note))
    image = Image.fromarray(np.ascontiguousarray(labels, np.uint8))
    image.putpalette(davis_palette().tobytes())
    with written_aside(path) as aside:
        image.save(aside, format="PNG", compress_level=1, pnginfo=chunks)


def _note(path: Path) -> Mapping[str, Any]:
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return json.loads(image.info[_CHUNK])
    except (FileNotFoundError, PermissionError):
        raise
    except (OSError, SyntaxError, KeyError, ValueError) as error:
        raise _no_mask_of_studio(path, error) from error


def _no_mask_of_studio(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path}: expected a mask that LiVOS Studio wrote, found something else ({error})")


def _pixels(path: Path, size: tuple[int, int]) -> Labels:
    labels = read_labels(path).labels
    if labels.shape != size:
        height, width = labels.shape
        raise ValueError(f"{path}: {width} x {height} pixels, but the video has {size[1]} x {size[0]}")
    return labels.astype(np.uint8)
