"""Importing masks that were drawn elsewhere, of every kind that `livos track` reads, as given masks."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from livos.masks.given_masks import GivenMask
from livos.masks.yolo import CLASS_NAMES
from livos.pipeline.ranges import FrameRange
from livos.pipeline.video_masks import masks_of_video
from livos.studio.project import Project
from livos.studio.runs import LARGEST_ID
from livos.video.sources import FrameSource

SUFFIXES = (".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".json", ".txt")
MOST_FILES = 200_000


@dataclass
class Import:
    """Files that the page sends, kept under names that we choose until all have arrived."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="livos-import-")))
    names: set[str] = field(default_factory=set)

    def place(self, name: str, source: FrameSource) -> Path:
        """Where to put a file of this name. Only the frame number and the object id are taken from the name.

        Raises:
            ValueError: If files of this kind are not supported, or two have the same name.
        """
        directory, _, file_name = name.rpartition("/")
        stem, dot, suffix = file_name.rpartition(".")
        suffix = dot + suffix.lower()
        if suffix not in SUFFIXES or not stem:
            raise ValueError(f"{name[:80]!r}: expected masks as {', '.join(SUFFIXES)}.")
        kept = file_name if file_name in CLASS_NAMES else _kept_stem(stem, source) + suffix
        if directory:
            object_id = directory.rpartition("/")[2]
            if re.fullmatch(r"[0-9]{1,8}", object_id) and int(object_id) > 0:
                kept = f"{int(object_id)}/{kept}"
        if kept in self.names:
            raise ValueError(f"{name[:80]!r}: there is another file for the same frame.")
        if len(self.names) >= MOST_FILES:
            raise ValueError(f"More than {MOST_FILES} files were sent.")
        self.names.add(kept)
        path = self.folder / kept
        path.parent.mkdir(exist_ok=True)
        return path

    def masks(self) -> Path:
        """What to pass to `import_masks`: the only file, or else the folder. Raises ValueError if there is no file."""
        files = [path for path in self.folder.rglob("*") if path.is_file() and path.name not in CLASS_NAMES]
        if not files:
            raise ValueError("No file with masks was sent.")
        return files[0] if len(files) == 1 and files[0].parent == self.folder else self.folder

    def discard(self) -> None:
        """Removes the files."""
        shutil.rmtree(self.folder, ignore_errors=True)


def import_masks(project: Project, source: FrameSource, path: Path, frame: int) -> dict[int, tuple[int, ...]]:
    """Imports the masks of a file or folder as given by hand, in one step.

    Ids that the project knows stand for its objects; for other ids, objects are added.

    Args:
        project: The project that receives them.
        source: Its video.
        path: A file or folder of masks as `livos track` accepts them.
        frame: The frame that a single file belongs to if its name contains none.

    Returns:
        The frames, and the objects that are now given there.

    Raises:
        ValueError: If something is not a mask, or belongs to no frame of the video. The project is unchanged.
    """
    everything = FrameRange(0, project.num_frames - 1, frame)
    masks = masks_of_video(path, source, everything)
    ids = _ids_in_project(project, masks.object_ids)
    found = {number: _read(mask, ids) for number, mask in masks.by_number.items()}
    return project.take(found, {ids[i]: masks.object_names.get(i, "") for i in masks.object_ids})


def _kept_stem(stem: str, source: FrameSource) -> str:
    """The frame number that a name contains, or a name without one."""
    number = source.number_of(stem)
    return "mask" if number is None else f"{number:06d}"


def _ids_in_project(project: Project, object_ids: list[int]) -> dict[int, int]:
    """For each id of the masks, the one in the project: the same if possible, otherwise the next free one."""
    known = {one.id for one in project.document.objects}
    free = project.document.next_id
    ids: dict[int, int] = {}
    for object_id in object_ids:
        if object_id in known or object_id >= free:
            ids[object_id] = object_id
            free = max(free, object_id + 1)
    for object_id in object_ids:
        if object_id not in ids:
            ids[object_id], free = free, free + 1
    if free > LARGEST_ID + 1:
        raise ValueError(f"The masks need the id {free - 1}, but ids in a project end at {LARGEST_ID}.")
    return ids


def _read(mask: GivenMask, ids: dict[int, int]) -> tuple[np.ndarray, list[int]]:
    """Labels (H, W) uint8 in the project's ids, and the ids that occur."""
    read = mask.read()
    labels = np.zeros(read.labels.shape, np.uint8)
    for object_id in read.ids:
        labels[read.labels == object_id] = ids[object_id]
    return labels, sorted(ids[i] for i in read.ids)
