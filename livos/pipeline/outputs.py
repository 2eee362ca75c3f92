"""Pictures that become of a segmented video: masks, an overlay video, and its objects cut out.

Each output is a context manager that takes one frame after the other, in order of time. Files of its own get their name
when the block ends well.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livos.files.atomic import written_aside
from livos.masks.label_maps import LabelCoding, write_labels
from livos.pipeline.overlay import overlay
from livos.video.sources import FrameSource
from livos.video.video_file import Frame
from livos.video.writer import VideoFormat, VideoWriter


@dataclass(frozen=True)
class SegmentedFrame:
    """A frame with its labels. Where the frame was damaged, image and labels are those of the one before it."""

    frame: Frame
    image: npt.NDArray[np.uint8]  # (H, W, 3) RGB
    labels: npt.NDArray[np.int32]  # (H, W), 0 for background

    @property
    def damaged(self) -> bool:
        return self.frame.image is None


class MaskFiles:
    """`<directory>/<frame>.png`, coded as the given masks are."""

    def __init__(self, directory: Path, coding: LabelCoding):
        self.directory, self.coding = directory, coding

    def write(self, segmented: SegmentedFrame) -> None:
        write_labels(self.directory / f"{segmented.frame.name}.png", segmented.labels, self.coding)

    def __enter__(self) -> MaskFiles:
        self.directory.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *error: Any) -> None:
        """Masks are complete one by one."""


class DrawnVideo:
    """A video with the objects drawn over it, with the source's times and sound."""

    def __init__(self, writer: VideoWriter, alpha: float = 0.5):
        self._writer, self._alpha = writer, alpha

    def write(self, segmented: SegmentedFrame) -> None:
        self._writer.add(overlay(segmented.image, segmented.labels, alpha=self._alpha), segmented.frame.pts)

    def __enter__(self) -> DrawnVideo:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)


def cut_out(segmented: SegmentedFrame, object_id: int) -> npt.NDArray[np.uint8]:
    """(H, W, 4) RGBA: the object, with nothing around it."""
    area = (segmented.labels == object_id).astype(np.uint8)
    return np.dstack([segmented.image * area[..., None], area * 255])


class CutOutImages:
    """`<directory>/<object id>/<frame>.png`, transparent around the object."""

    def __init__(self, directory: Path, object_ids: Sequence[int]):
        self.directory, self.object_ids = directory, object_ids

    def write(self, segmented: SegmentedFrame) -> None:
        for object_id in self.object_ids:
            picture = cv2.cvtColor(cut_out(segmented, object_id), cv2.COLOR_RGBA2BGRA)
            encoded = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
            with written_aside(self.directory / str(object_id) / f"{segmented.frame.name}.png") as aside:
                aside.write_bytes(encoded.tobytes())

    def __enter__(self) -> CutOutImages:
        for object_id in self.object_ids:
            (self.directory / str(object_id)).mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *error: Any) -> None:
        """Pictures are complete one by one."""


class CutOutVideos:
    """`<directory>/<object id>.mov` (or .webm): a video of each object alone, as long as the source, with alpha."""

    def __init__(self, directory: Path, object_ids: Sequence[int], video_format: VideoFormat, source: FrameSource):
        self.directory, self.object_ids = directory, object_ids
        self.video_format, self.source = video_format, source
        self._stack = ExitStack()
        self._writers: dict[int, VideoWriter] = {}

    def write(self, segmented: SegmentedFrame) -> None:
        for object_id, writer in self._writers.items():
            writer.add(cut_out(segmented, object_id), segmented.frame.pts)

    def __enter__(self) -> CutOutVideos:
        self.directory.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            for object_id in self.object_ids:
                path = self.directory / f"{object_id}{self.video_format.suffix}"
                writer = VideoWriter(path, self.video_format, self.source.time_base, self.source.frame_rate)
                self._writers[object_id] = stack.enter_context(writer)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
