"""One video of a test set: its problems, found from names and headers, and its frames, one at a time."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from livos.files.images import image_size, read_image, read_orientation
from livos.files.names import some_of
from livos.masks.given_masks import GivenMask, coding_of
from livos.masks.label_maps import LabelCoding
from livos.pipeline.frames import InputFrame
from livos.video.video_file import Frame

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TestVideo:
    """The frames of a video in order, and its given masks. Opening it lists folders, iterating reads files."""

    __test__ = False  # not a test, despite its name

    name: str
    frame_paths: tuple[Path, ...]  # in order
    masks: Mapping[str, GivenMask]  # by the name of the frame
    use_all_masks: bool = False
    asked: frozenset[str] | None = None  # the frames whose masks a server requests; None: all
    save_all: bool = True  # save the other frames as well
    faults: tuple[str, ...] = ()  # problems found while listing the folders

    def __len__(self) -> int:
        return len(self.frame_paths)

    @cached_property
    def frame_names(self) -> list[str]:
        return [path.stem for path in self.frame_paths]

    @cached_property
    def saved_names(self) -> list[str]:
        """The frames to write."""
        if self.save_all or self.asked is None:
            return self.frame_names
        return self.asked_names

    @property
    def asked_names(self) -> list[str]:
        """The frames that belong in a submission."""
        return [name for name in self.frame_names if self.asked is None or name in self.asked]

    @property
    def given(self) -> dict[str, GivenMask]:
        """The masks that are shown to the method, by frame: the first frame's, or every one."""
        names = self.frame_names if self.use_all_masks else self.frame_names[:1]
        return {name: self.masks[name] for name in names if name in self.masks}

    @cached_property
    def coding(self) -> LabelCoding:
        """How predictions are coded: like the given masks. Reads the masks if their headers do not reveal it."""
        return coding_of(list(self.given.values()))

    def problems(self, every_frame: bool = False) -> list[str]:
        """What would make this video fail, found without reading any pixels; each problem names a file.

        every_frame: check the header of every frame rather than only of those that have a mask.
        """
        problems = [*self.faults]
        if self.frame_paths:
            problems += self._misfits_of_names()
            problems += self._misfits_of_sizes(self.frame_paths if every_frame else self.frame_paths[:1])
        elif not self.faults:
            problems.append(f"{self.name}: no frames")
        return problems

    def __iter__(self) -> Iterator[InputFrame]:
        """Reads one frame after the other. Raises ValueError or OSError, naming the file, at the first bad one."""
        if problems := self.problems():
            raise ValueError("; ".join(problems))
        _ = self.coding  # raises if masks contradict each other about what a value means
        given, saved = self.given, set(self.saved_names)
        if not self.use_all_masks and 1 < len(self.masks) < len(self.frame_paths):
            logger.warning("%s: only the first of %d masks is used (use_all_masks=true)", self.name, len(self.masks))
        size, any_object, is_turned = None, False, False
        for number, path in enumerate(self.frame_paths):
            image = read_image(path)
            if not is_turned and read_orientation(path) != 1:
                is_turned = True
                logger.warning("%s: has an orientation (EXIF), which is ignored: pixels are used as stored", path)
            size = size or image.shape[:2]
            if image.shape[:2] != size:
                raise ValueError(_size_misfit(path, image.shape[:2], self.frame_paths[0], size))
            labels = self._read_labels(given[path.stem], path, size) if path.stem in given else None
            any_object = any_object or (labels is not None and bool(labels.any()))
            last = number == len(self.frame_paths) - 1
            yield InputFrame(Frame(number, path.stem, number, image), labels, path.stem in saved, last)
        if not any_object:
            logger.warning("%s: no given mask shows an object, so everything is background", self.name)

    def _read_labels(self, mask: GivenMask, frame_path: Path, size: tuple[int, ...]) -> npt.NDArray[np.int32]:
        labels = mask.read().labels
        if labels.shape != size:
            raise ValueError(_size_misfit(mask.path, labels.shape, frame_path, size))
        if not self.use_all_masks and not labels.any():
            raise ValueError(f"{mask.path}: the only mask given is empty (use_all_masks=true includes later ones)")
        return labels

    def _misfits_of_names(self) -> list[str]:
        problems = []
        folder = self.frame_paths[0].parent
        if not self.given and not self.faults:
            wanted = "any frame" if self.use_all_masks else f"the first frame, {self.frame_paths[0]}"
            found = f"; masks found: {some_of(sorted(self.masks))}" if self.masks else ""
            hint = "" if self.use_all_masks else " (use_all_masks=true uses the masks of all frames)"
            problems.append(f"{self.name}: no mask for {wanted}{found}{hint}")
        names = set(self.frame_names)
        strangers = sorted(self.masks.keys() - names)
        if self.use_all_masks and strangers:
            path = self.masks[strangers[0]].path
            problems.append(f"{self.name}: masks without a frame in {folder}: {some_of(strangers)} ({path})")
        if missing := sorted((self.asked or frozenset()) - names):
            problems.append(f"{self.name}: frames that the set requires are not in {folder}: {some_of(missing)}")
        return problems

    def _misfits_of_sizes(self, frame_paths: tuple[Path, ...]) -> list[str]:
        try:
            size = image_size(self.frame_paths[0])
            problems = []
            for path in frame_paths[1:]:
                if image_size(path) != size:
                    problems.append(_size_misfit(path, image_size(path), self.frame_paths[0], size))
            for mask in self.given.values():
                if mask.size() != size:
                    problems.append(_size_misfit(mask.path, mask.size(), self.frame_paths[0], size))
            return problems
        except (ValueError, OSError) as error:
            return [str(error)]


def _size_misfit(path: Path, found: tuple[int, ...], reference: Path, expected: tuple[int, ...]) -> str:
    return f"{path}: {found[1]} x {found[0]} pixels, expected {expected[1]} x {expected[0]} as in {reference}"
