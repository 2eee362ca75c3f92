"""Segments a whole video from Python, in one call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np

from livos.masks.given_masks import GivenMask, MaskFile
from livos.masks.label_maps import LabelCoding, LabelMap
from livos.pipeline.frames import SegmentedFrame
from livos.pipeline.job import TrackSettings
from livos.pipeline.ranges import frame_range
from livos.pipeline.segment import segment, with_given_masks
from livos.pipeline.video_masks import VideoMasks, checked_masks, masks_of_video
from livos.segmenter.object_ids import index_mask
from livos.segmenter.segmenter import VideoSegmenter
from livos.video.arrays import ArraySource
from livos.video.sources import FrameSource, find_videos

PathLike = str | os.PathLike[str]
Mask = Any
"""An (H, W) integer or boolean array, a Pillow image of ids, or the path of a mask file."""


def segment_video(
    video: PathLike | int | Iterable[Any],
    masks: Mask | Mapping[int, Mask],
    segmenter: VideoSegmenter | PathLike = "lite",
    *,
    start: int | str | None = None,
    end: int | str | None = None,
    backward: bool = False,
    count_from: int = 0,
    frame_rate: Fraction | float = 24,
    damaged: str = "hold",
    colour_masks: str = "auto",
    keep_probabilities: bool = False,
) -> Iterator[SegmentedFrame]:
    """Segments a video, and yields its frames with the masks of its objects, one at a time.

    The masks are the same as those of `livos track`, and memory does not grow with the length of the video. Rotation
    and colours are as players show them. A thread decodes a few frames ahead.

    Args:
        video: A video file, a folder of images, the number of a camera, a stream's address, or the frames themselves:
            (H, W, 3) uint8 RGB arrays or Pillow images.
        masks: The given masks: a file or folder, as for `livos track`; an (H, W) array of ids for the first
            frame to segment; or a dictionary of masks by frame number. A new id adds an object, a known id corrects
            it.
        segmenter: A segmenter, which is reset, or the name or path of weights, as for `load_model`.
        start: The first frame: its number, or a time such as `4.5s` or `1:30`.
        end: The last frame, which is included: its number, or the time at which to end.
        backward: Segment from the last frame to the first.
        count_from: The number of the first frame.
        frame_rate: Frames per second of images and arrays. Video files have their own.
        damaged: What to do at a frame that cannot be decoded: `hold` repeats the image and mask of the previous frame,
            `stop` raises ValueError.
        colour_masks: What RGB masks contain: `palette` (colours of the DAVIS palette), `ids` or `auto`.
        keep_probabilities: Include the probabilities of all objects in each result.

    Returns:
        An iterator over `SegmentedFrame`, whose most useful attributes are `number`, `image` (H, W, 3) uint8, `labels`
        (H, W) int32 with your ids, and `confidence` by id. Close the iterator to stop reading.

    Raises:
        ValueError: Before the first frame, if the masks do not match the video, the range has no frames, or a setting
            is unknown. Later, if a frame with a given mask is damaged, or any frame with `damaged="stop"`.
        OSError: If a file cannot be read.
    """
    settings = TrackSettings(damaged=damaged, colour_masks=colour_masks)
    source = _open(video, Fraction(frame_rate).limit_denominator(100_000), count_from)
    frames = frame_range(source, start, end, backward)
    given = _masks_of(masks, source, frames, settings.colour_masks)
    if not isinstance(segmenter, VideoSegmenter):
        segmenter = VideoSegmenter(segmenter)
    segmenter.reset()
    inputs = with_given_masks(source.frames(frames.first, frames.stop, backward), given.by_number)
    stop = settings.damaged == "stop"
    return segment(inputs, segmenter, source.size, stop_at_damage=stop, keep_probabilities=keep_probabilities)


@dataclass(frozen=True)
class ArrayMask:
    """A mask in memory. A mask like any other: see livos/masks/given_masks.py."""

    labels: np.ndarray  # (H, W) ids
    path: Path  # says where it belongs, for messages

    def size(self) -> tuple[int, int]:
        return cast(tuple[int, int], self.labels.shape)

    def palette(self) -> bytes | None:
        return b"" if self.labels.max(initial=0) <= 255 else None

    def read(self) -> LabelMap:
        return LabelMap(self.labels.astype(np.int32), LabelCoding())


def _open(video: PathLike | int | Iterable[Any], frame_rate: Fraction, count_from: int) -> FrameSource:
    if isinstance(video, int):
        video = str(video)
    if not isinstance(video, str | os.PathLike):
        return ArraySource(video, frame_rate, count_from)
    found = find_videos(os.fspath(video), frame_rate, count_from)
    if len(found) != 1:
        names = ", ".join(entry.name for entry in found[:5])
        raise ValueError(f"{video}: expected one video, found {len(found)} ({names}): pass them one at a time")
    return found[0].open()


def _masks_of(masks: Mask | Mapping[int, Mask], source: FrameSource, frames: Any, colours: str) -> VideoMasks:
    if isinstance(masks, str | os.PathLike):
        return masks_of_video(Path(masks), source, frames, colours)
    by_number = masks if isinstance(masks, Mapping) else {frames.begin: masks}
    given = {int(number): _given_mask(mask, int(number), colours) for number, mask in by_number.items()}
    return checked_masks(given, source, frames, "masks")


def _given_mask(mask: Mask, number: int, colours: str) -> GivenMask:
    if isinstance(mask, str | os.PathLike):
        return MaskFile(Path(mask), colours=colours)
    return ArrayMask(index_mask(mask), Path(f"mask of frame {number}"))
