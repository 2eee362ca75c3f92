"""Outputs of a segmented video: masks, probabilities, pictures, videos, and cut-outs of its objects.

Each output takes one frame after the other (`threads.Output`). Files that need the whole video get their name when the
work succeeds; files of single frames are written atomically one by one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from livos.files.atomic import written_aside
from livos.masks.confidence_notes import confidence_note
from livos.masks.label_maps import LabelCoding, write_labels
from livos.pipeline.frames import SegmentedFrame
from livos.pipeline.overlay import overlay
from livos.pipeline.probabilities import write_probabilities
from livos.pipeline.threads import Output
from livos.video.sources import FrameSource
from livos.video.writer import VideoFormat, VideoWriter

VideoOutput = Output[SegmentedFrame]


class FrameFiles(VideoOutput):
    """`<directory>/<frame><suffix>` for each frame whose mask is wanted."""

    suffix = ""

    def __init__(self, directory: Path):
        self.directory = directory

    def open(self, stack: ExitStack) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)

    def write(self, item: SegmentedFrame) -> None:
        if item.wanted:
            self.write_file(self.directory / f"{item.frame.name}{self.suffix}", item)

    @abstractmethod
    def write_file(self, path: Path, item: SegmentedFrame) -> None:
        """Writes the file of one frame, atomically."""


class MaskFiles(FrameFiles):
    """Masks, coded like the given masks."""

    suffix = ".png"

    def __init__(self, directory: Path, coding: LabelCoding):
        super().__init__(directory)
        self.coding = coding

    def write_file(self, path: Path, item: SegmentedFrame) -> None:
        write_labels(path, item.labels, self.coding, confidence_note(item.confidence))


class ProbabilityFiles(FrameFiles):
    """The probabilities of each object."""

    suffix = ".npz"

    def write_file(self, path: Path, item: SegmentedFrame) -> None:
        assert item.probabilities is not None, "ask segment() to keep them"
        write_probabilities(path, item.probabilities, item.object_ids)


class OverlayImages(FrameFiles):
    """Frames with the objects drawn over them."""

    suffix = ".jpg"

    def write_file(self, path: Path, item: SegmentedFrame) -> None:
        _write_picture(path, cv2.cvtColor(overlay(item.image, item.labels), cv2.COLOR_RGB2BGR))


class OverlayVideo(VideoOutput):
    """A video with the objects drawn over it, with the timing of the frames."""

    def __init__(self, writer: VideoWriter, alpha: float = 0.5):
        self._writer, self._alpha = writer, alpha

    def open(self, stack: ExitStack) -> None:
        stack.enter_context(self._writer)

    def write(self, item: SegmentedFrame) -> None:
        self._writer.add(overlay(item.image, item.labels, alpha=self._alpha), item.frame.pts)


def cut_out(item: SegmentedFrame, object_id: int) -> npt.NDArray[np.uint8]:
    """(H, W, 4) RGBA: the object on a transparent background."""
    area = (item.labels == object_id).astype(np.uint8)
    return np.dstack([item.image * area[..., None], area * 255])


class CutOutImages(VideoOutput):
    """`<directory>/<object id>/<frame>.png`, transparent around the object."""

    def __init__(self, directory: Path, object_ids: Sequence[int]):
        self.directory, self.object_ids = directory, object_ids

    def open(self, stack: ExitStack) -> None:
        for object_id in self.object_ids:
            (self.directory / str(object_id)).mkdir(parents=True, exist_ok=True)

    def write(self, item: SegmentedFrame) -> None:
        for object_id in self.object_ids:
            picture = cv2.cvtColor(cut_out(item, object_id), cv2.COLOR_RGBA2BGRA)
            _write_picture(self.directory / str(object_id) / f"{item.frame.name}.png", picture)


class CutOutVideos(VideoOutput):
    """`<directory>/<object id>.mov` (or .webm): a video with alpha of each single object, as long as the source."""

    def __init__(self, directory: Path, object_ids: Sequence[int], video_format: VideoFormat, source: FrameSource):
        self._directory = directory
        self._writers = {
            object_id: VideoWriter(
                directory / f"{object_id}{video_format.suffix}",
                video_format,
                source.time_base,
                source.frame_rate,
                sample_aspect_ratio=source.sample_aspect_ratio,
            )
            for object_id in object_ids
        }

    def open(self, stack: ExitStack) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        for writer in self._writers.values():
            stack.enter_context(writer)

    def write(self, item: SegmentedFrame) -> None:
        for object_id, writer in self._writers.items():
            writer.add(cut_out(item, object_id), item.frame.pts)


def _write_picture(path: Path, picture: np.ndarray) -> None:
    """Writes BGR or BGRA atomically, in the format of the suffix."""
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1] if path.suffix == ".png" else []
    encoded = cv2.imencode(path.suffix, picture, options)[1]
    with written_aside(path) as aside:
        aside.write_bytes(encoded.tobytes())
