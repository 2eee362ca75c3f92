"""Finds which masks belong to which frames of a video, in a file or folder that the user provided."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from livos.files.images import IMAGE_SUFFIXES, MASK_SUFFIXES, image_size
from livos.files.names import files_by_stem, natural_order, some_of
from livos.files.picture_series import durations, holds_several
from livos.masks.drawn_files import DRAWING_SUFFIXES, read_drawn_masks
from livos.masks.given_masks import GivenMask, MaskFile, coding_of
from livos.masks.label_maps import LabelCoding, LabelMap, read_area, read_labels
from livos.masks.yolo import CLASS_NAMES
from livos.pipeline.ranges import FrameRange
from livos.video.sources import FrameSource, has_frame

logger = logging.getLogger(__name__)

SUFFIXES = tuple(dict.fromkeys((*IMAGE_SUFFIXES, *MASK_SUFFIXES)))
LABEL_STUDIO = re.compile(r"task-(?P<task>[0-9]{1,9})-annotation-[0-9]+-by-.+?-tag-(?P<tag>.+)-[0-9]+")


@dataclass(frozen=True)
class CutOuts:
    """One frame's objects, each a picture with a transparent background. A mask like any other."""

    files: Mapping[int, Path]  # by object id
    soft_edges: bool = False  # threshold at one half, for the soft brushes of annotation programs

    @property
    def path(self) -> Path:
        return next(iter(self.files.values()))

    def size(self) -> tuple[int, int]:
        return image_size(self.path)

    def palette(self) -> bytes | None:
        return b"" if max(self.files) <= 255 else None

    def read(self) -> LabelMap:
        """Where objects overlap, the one with the larger id is on top. Raises ValueError if the sizes differ."""
        labels = np.zeros(self.size(), np.int32)
        for object_id, path in sorted(self.files.items()):
            area = read_area(path) if self.soft_edges else read_labels(path).labels > 0
            if area.shape != labels.shape:
                raise ValueError(f"{path}: {area.shape} (height, width), but {self.path} has {labels.shape}")
            labels[area] = object_id
        return LabelMap(labels, LabelCoding())


@dataclass(frozen=True)
class VideoMasks:
    """The given masks of a video, by frame number."""

    by_number: Mapping[int, GivenMask]
    object_ids: list[int]
    coding: LabelCoding  # for the masks to write
    object_names: Mapping[int, str] = field(default_factory=dict)  # by id, as far as known


def _say_if_late(by_number: Mapping[int, GivenMask], frames: FrameRange) -> None:
    """Warns if the first frame to segment has no mask: perhaps the masks count from 1."""
    nearest = min(by_number, key=lambda number: abs(number - frames.begin))
    if nearest != frames.begin:
        hint = "" if abs(nearest - frames.begin) > 1 else ". If masks count from 1, use --count-from 1 (count_from=1)"
        logger.warning(
            "%s is the mask of frame %d, but the first frame is %d: nothing is marked until then%s",
            *(by_number[nearest].path, nearest, frames.begin, hint),
        )


@dataclass(frozen=True)
class NamedMasks:
    """Masks by name, before they are linked to frames."""

    by_name: Mapping[str, GivenMask]
    object_names: Mapping[int, str] = field(default_factory=dict)
    single_file: bool = False  # for one frame: its name need not say which


def masks_of_video(path: Path, source: FrameSource, frames: FrameRange, colours: str = "auto") -> VideoMasks:
    """The masks in a file or folder for some frames of a video.

    They are linked by name: the frame's own name, or its number (`00042.png`, `frame_42.png`). A single file that is
    not named like a frame belongs to the first one to segment. In a file with several pictures, each that shows an
    object is the mask of the frame at its position. Every mask is read once, so mistakes are found before the work
    begins. colours: what RGB masks contain, see `read_labels`.
    Raises ValueError, naming the file, for masks that match no frame, have another size, or cannot be read.
    """
    if path.is_file() and path.suffix.lower() not in DRAWING_SUFFIXES and holds_several(path):
        return checked_masks(_pages(path, source, frames, colours), source, frames, str(path))
    named = find_masks(path, source.size, colours)
    by_number: dict[int, GivenMask] = {}
    for name, mask in named.by_name.items():
        number = _number_of(name, named, source, frames)
        if number in by_number:
            raise ValueError(f"{mask.path} and {by_number[number].path} are both masks of frame {number}")
        by_number[number] = mask
    return checked_masks(by_number, source, frames, str(path), named.object_names)


def _pages(path: Path, source: FrameSource, frames: FrameRange, colours: str) -> dict[int, GivenMask]:
    """The masks in a file with several pictures. Pages with only background mean frames without a mask."""
    masks = {
        source.first_number + page: MaskFile(path, colours=colours, page=page) for page in range(len(durations(path)))
    }
    return {number: mask for number, mask in masks.items() if number in frames and mask.read().ids}


def checked_masks(
    by_number: Mapping[int, GivenMask],
    source: FrameSource,
    frames: FrameRange,
    place: str,
    object_names: Mapping[int, str] | None = None,
) -> VideoMasks:
    """Masks by frame number, if they match the video. place: where they are from, for messages.

    Raises:
        ValueError: If frames of masks do not exist or were not requested, sizes differ, or there are no objects.
    """
    for number, mask in by_number.items():
        if number not in frames:
            raise ValueError(f"{mask.path}: is the mask of frame {number}, but only frames {frames} were requested")
        if not has_frame(source, number):
            raise ValueError(
                f"{mask.path}: is the mask of frame {number}, but the video has {source.num_frames} frames"
            )
    _check_sizes(by_number, source.size)
    object_ids = sorted({object_id for mask in by_number.values() for object_id in mask.read().ids})
    if not object_ids:
        raise ValueError(f"{place}: no mask shows an object")
    _say_if_late(by_number, frames)
    return VideoMasks(by_number, object_ids, coding_of(list(by_number.values())), object_names or {})


def find_masks(path: Path, frame_size: tuple[int, int], colours: str = "auto") -> NamedMasks:
    """The masks in a file or folder, by name. Raises ValueError if there are none, or kinds are mixed."""
    if path.is_file():
        if path.suffix.lower() in DRAWING_SUFFIXES:
            drawn = read_drawn_masks([path], frame_size)
            return NamedMasks(drawn.masks, drawn.object_names, len(drawn.masks) == 1)
        return NamedMasks({path.stem: MaskFile(path, colours=colours)}, single_file=True)
    if not path.is_dir():
        raise ValueError(f"{path}: there is no such file or folder of masks")
    files, faults = files_by_stem(path, SUFFIXES)
    drawings = _find_drawings(path, ".json")
    cut_outs = _find_cut_outs(path)
    if faults:
        raise ValueError("; ".join(faults))
    if sum(map(bool, (files, drawings, cut_outs))) > 1:
        raise ValueError(f"{path}: pictures, JSON files and folders of cut-outs are mixed; use only one kind")
    if not files and not cut_outs:
        drawings = drawings or _find_drawings(path, ".txt")
    if drawings:
        drawn = read_drawn_masks(drawings, frame_size)
        return NamedMasks(drawn.masks, drawn.object_names)
    if not files and not cut_outs:
        raise ValueError(
            f"{path}: no masks: expected pictures, labelme or COCO files (.json), YOLO files (.txt), or folders of "
            "cut-outs named by object id"
        )
    if exported := label_studio_masks(files):
        return exported
    masks: dict[str, GivenMask] = {stem: MaskFile(file, colours=colours) for stem, file in files.items()}
    return NamedMasks(masks | {name: CutOuts(by_id) for name, by_id in cut_outs.items()})


def _find_drawings(path: Path, suffix: str) -> list[Path]:
    """The files of annotation programs in a folder, in natural order, without lists of classes."""
    found = [file for file in path.glob(f"[!.]*{suffix}") if file.name not in CLASS_NAMES and file.is_file()]
    return sorted(found, key=lambda p: natural_order(p.name))


def label_studio_masks(files: Mapping[str, Path]) -> NamedMasks | None:
    """The masks of Label Studio's PNG export, one file per object (`task-1-annotation-2-by-3-tag-cat-0`).

    None if the files have other names. Objects are numbered 1, 2, … in the order of their names.
    Raises ValueError if there are several tasks, since their numbers do not say which frame each belongs to.
    """
    matches = {stem: LABEL_STUDIO.fullmatch(stem) for stem in files}
    found = {stem: match for stem, match in matches.items() if match}
    if not files or len(found) < len(files):
        return None
    tasks = sorted({int(match["task"]) for match in found.values()})
    if len(tasks) > 1:
        raise ValueError(
            f"{next(iter(files.values())).parent}: masks of Label Studio's tasks {some_of(map(str, tasks))}: which "
            "frames are they? Use those of one task, or name folders by object (1, 2, …) and files by frame"
        )
    names = {object_id: match["tag"] for object_id, match in enumerate(found.values(), start=1)}
    by_id = dict(enumerate((files[stem] for stem in found), start=1))
    return NamedMasks({f"task-{tasks[0]}": CutOuts(by_id, soft_edges=True)}, names, single_file=True)


def _find_cut_outs(path: Path) -> dict[str, dict[int, Path]]:
    """`<object id>/<frame>.png`, by frame and id."""
    found: dict[str, dict[int, Path]] = {}
    for folder in sorted(path.iterdir(), key=lambda p: natural_order(p.name)):
        if folder.is_dir() and folder.name.isascii() and folder.name.isdecimal() and int(folder.name[:9]) > 0:
            files, faults = files_by_stem(folder, (".png", ".webp", ".tif", ".tiff"))
            if faults:
                raise ValueError("; ".join(faults))
            for name, file in files.items():
                found.setdefault(name, {})[int(folder.name)] = file
    return found


def _number_of(name: str, named: NamedMasks, source: FrameSource, frames: FrameRange) -> int:
    number = source.number_of(name, exact=named.single_file)
    if number is None and named.single_file:
        return frames.begin
    if number is None:
        examples = some_of(sorted(named.by_name))
        path = named.by_name[name].path
        raise ValueError(f"{path}: which frame is {name!r}? Name masks like the frames (found: {examples})")
    return number


def _check_sizes(by_number: Mapping[int, GivenMask], size: tuple[int, int]) -> None:
    for number, mask in by_number.items():
        found = mask.size()
        if found != size:
            turned = " It seems rotated: draw it on the frame as players show it." if found == size[::-1] else ""
            raise ValueError(
                f"{mask.path}: {found[1]} x {found[0]} pixels, but frame {number} has {size[1]} x {size[0]}.{turned}"
            )
