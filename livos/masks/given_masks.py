"""The masks that a video comes with, wherever they are kept, and the coding in which its predictions are written."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image

from livos.files.images import image_size
from livos.masks.label_maps import LabelCoding, LabelMap, read_labels

logger = logging.getLogger(__name__)


class GivenMask(Protocol):
    """One mask that a method may see."""

    @property
    def path(self) -> Path:
        """The file that holds it, for messages."""

    def size(self) -> tuple[int, int]:
        """(H, W), without reading the pixels."""

    def is_palette(self) -> bool:
        """Whether its ids are certainly at most 255 and mean what they say, without reading the pixels."""

    def read(self) -> LabelMap:
        """The labels; ValueError or OSError, naming the file, where they cannot be had."""


@dataclass(frozen=True)
class MaskFile:
    """A mask in a file of its own; the fields are those of `read_labels`."""

    path: Path
    void_id: int | None = None
    colours: str = "auto"

    def size(self) -> tuple[int, int]:
        return image_size(self.path)

    def is_palette(self) -> bool:
        with Image.open(self.path) as image:
            return image.mode == "P"

    def read(self) -> LabelMap:
        return read_labels(self.path, void_id=self.void_id, colours=self.colours)


def coding_of(masks: Sequence[GivenMask]) -> LabelCoding:
    """How the predictions for one video are coded: as the first mask that shows an object, widened to hold every id.

    Raises ValueError, naming two files, where the masks of the video contradict each other in what a value means.
    """
    if masks and all(mask.is_palette() for mask in masks):
        return masks[0].read().coding
    first: LabelCoding | None = None
    largest_id = 0
    examples: dict[str, Path] = {}
    for mask in masks:
        found = mask.read()
        if found.ids:
            first = first or found.coding
            largest_id = max(largest_id, found.ids[-1])
            examples.setdefault(found.coding.kind, mask.path)
    _refuse_contradictions(examples)
    first = first or (masks[0].read().coding if masks else LabelCoding())
    coding = first.widened(largest_id)
    if coding != first:
        logger.warning(
            "%s is coded as %s, which cannot hold object %d of a later mask: all of its video is written as %s",
            next(iter(examples.values())), first.kind, largest_id, coding.kind,
        )  # fmt: skip
    return coding


def _refuse_contradictions(examples: dict[str, Path]) -> None:
    """examples: for each kind of coding, a mask with an object that was read as such."""
    if "colours" in examples and "rgb_ids" in examples:
        raise ValueError(
            f"{examples['colours']} has colours of the DAVIS palette only, {examples['rgb_ids']} has others: "
            "say what colours mean with colour_masks=palette or colour_masks=ids"
        )
    black_and_white = examples.get("binary") or examples.get("bilevel")
    others = [path for kind, path in examples.items() if kind not in ("binary", "bilevel")]
    if black_and_white and others:
        raise ValueError(
            f"{black_and_white} is black and white (object 1), {others[0]} of the same video has ids: "
            "save both as palette or greyscale PNG with the ids as values"
        )
