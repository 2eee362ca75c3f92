"""The given masks of a video, wherever they are stored, and the coding in which its predictions are written."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from livos.files.images import image_size, read_header
from livos.masks.label_maps import LabelCoding, LabelMap, read_labels

logger = logging.getLogger(__name__)


class GivenMask(Protocol):
    """One mask that a method may see."""

    @property
    def path(self) -> Path:
        """The file that holds it, for messages."""

    def size(self) -> tuple[int, int]:
        """(H, W), without reading the pixels."""

    def palette(self) -> bytes | None:
        """The palette's RGB triples if ids are its indices, without reading the pixels; None if that is not certain.

        Empty if ids are certainly at most 255 but have no colours.
        """

    def read(self) -> LabelMap:
        """The labels. Raises ValueError or OSError, naming the file, if they cannot be read."""


@dataclass(frozen=True)
class MaskFile:
    """A mask in a separate file; the fields are the arguments of `read_labels`."""

    path: Path
    void_id: int | None = None
    colours: str = "auto"
    page: int | None = None

    def size(self) -> tuple[int, int]:
        return image_size(self.path) if self.page is None else self.read().labels.shape  # type: ignore[return-value]

    def palette(self) -> bytes | None:
        if self.page is not None:
            return None
        header = read_header(self.path)
        return (header.palette or b"") if header.mode == "P" else None

    def read(self) -> LabelMap:
        return read_labels(self.path, void_id=self.void_id, colours=self.colours, page=self.page)


def coding_of(masks: Sequence[GivenMask]) -> LabelCoding:
    """How the predictions for one video are coded: like the first mask that shows an object, widened to hold every id.

    Raises ValueError, naming two files, if the masks of the video contradict each other about what a value means.
    """
    palettes = {mask.palette() for mask in masks}
    if len(palettes) == 1 and None not in palettes:
        return masks[0].read().coding
    first: LabelCoding | None = None
    largest_id = 0
    examples: dict[str, Path] = {}
    colours = PaletteColours()
    for mask in masks:
        found = mask.read()
        colours.take(found, mask.path)
        if found.ids:
            first = first or found.coding
            largest_id = max(largest_id, found.ids[-1])
            examples.setdefault(found.coding.kind, mask.path)
    _refuse_contradictions(examples)
    first = first or (masks[0].read().coding if masks else LabelCoding())
    coding = first.widened(largest_id)
    if coding != first:
        logger.warning(
            "%s is coded as %s, which cannot hold object %d of a later mask: the whole video is written as %s",
            next(iter(examples.values())), first.kind, largest_id, coding.kind,
        )  # fmt: skip
    return coding


class PaletteColours:
    """The colours of the objects of a video in its palette masks, one mask after the other."""

    def __init__(self) -> None:
        self._seen: dict[bytes, tuple[int, Path]] = {}

    def take(self, mask: LabelMap, path: Path) -> None:
        """Raises ValueError, naming two files, if this mask shows an object in a colour that another object had before.

        Colours that a palette has twice do not count, and neither do those of an index that no pixel has.
        """
        palette = mask.coding.palette
        if mask.coding.kind != "palette" or palette is None:
            return
        colours = {index: palette[3 * index : 3 * index + 3] for index in mask.ids}
        own = Counter(colours.values())
        for index, colour in colours.items():
            known, first_path = self._seen.setdefault(colour, (index, path)) if own[colour] == 1 else (index, path)
            if known != index:
                raise ValueError(
                    f"{first_path} and {path} of the same video contradict each other: the colour {tuple(colour)} is "
                    f"index {known} in one palette and index {index} in the other. Save all masks of a video with one "
                    "palette, whose index 0 is the background"
                )


def _refuse_contradictions(examples: dict[str, Path]) -> None:
    """examples: for each kind of coding, a mask with an object that was read in this way."""
    if "colours" in examples and "rgb_ids" in examples:
        raise ValueError(
            f"{examples['colours']} has only colours of the DAVIS palette, {examples['rgb_ids']} has others: "
            "say what colours mean with colour_masks=palette or colour_masks=ids"
        )
    black_and_white = examples.get("binary") or examples.get("bilevel")
    others = [path for kind, path in examples.items() if kind not in ("binary", "bilevel")]
    if black_and_white and others:
        raise ValueError(
            f"{black_and_white} is black and white (object 1), but {others[0]} of the same video has ids: "
            "save both as palette or greyscale PNG with the ids as values"
        )
