"""Frames of a video to labels to outputs, with decoding, the network and encoding at work at the same time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from tqdm import tqdm

from livos.masks.given_masks import GivenMask
from livos.masks.label_maps import LabelCoding, read_labels
from livos.pipeline.background import InBackground, Output
from livos.pipeline.outputs import SegmentedFrame
from livos.pipeline.prefetch import prefetch
from livos.video.video_file import Frame

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


class Result(Protocol):
    """What a segmenter says of one frame."""

    @property
    def labels(self) -> np.ndarray:
        """(H, W) ids, 0 for background. May wait for the device."""


class Segmenter(Protocol):
    """What this module needs of livos.VideoSegmenter."""

    def step(self, image: np.ndarray, labels: np.ndarray | None = None) -> Result: ...


def segment(
    frames: Iterable[Frame],
    segmenter: Segmenter,
    masks: Mapping[int, GivenMask],
    size: tuple[int, int],
    stop_at_damage: bool = False,
) -> Iterator[SegmentedFrame]:
    """Frames with labels; masks are by the number of the frame, size is (H, W). A damaged frame keeps the image and
    labels of the one before it.

    Raises ValueError at a damaged frame that has a mask, or at any if `stop_at_damage`.
    """
    image, labels = np.zeros((*size, 3), np.uint8), np.zeros(size, np.int32)
    for frame, result in one_behind(_results(prefetch(frames), segmenter, masks, stop_at_damage)):
        if frame.image is not None and result is not None:
            image, labels = frame.image, result.labels
        yield SegmentedFrame(frame, image, labels)


def _results(
    frames: Iterable[Frame], segmenter: Segmenter, masks: Mapping[int, GivenMask], stop_at_damage: bool
) -> Iterator[tuple[Frame, Result | None]]:
    unused = dict(masks)
    for frame in frames:
        given = unused.pop(frame.number, None)
        if frame.image is not None:
            yield frame, segmenter.step(frame.image, None if given is None else given.read().labels)
        elif given is not None:
            raise ValueError(f"frame {frame.number} is damaged, and {given.path} is a mask of it: draw it on another")
        elif stop_at_damage:
            raise ValueError(f"frame {frame.number} is damaged; --damaged hold would go on with the mask before it")
        else:
            yield frame, None
    for number, mask in unused.items():
        logger.warning("%s is the mask of frame %d, which never came", mask.path, number)


def one_behind(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, each after the next one was begun: a GPU works on that while this one's result is waited for."""
    waiting: list[Item] = []
    for item in items:
        waiting.append(item)
        if len(waiting) > 1:
            yield waiting.pop(0)
    yield from waiting


def replay(
    frames: Iterable[Frame], mask_dir: Path, coding: LabelCoding, size: tuple[int, int]
) -> Iterator[SegmentedFrame]:
    """Frames with the labels that were written for them before."""
    image = np.zeros((*size, 3), np.uint8)
    for frame in prefetch(frames):
        image = image if frame.image is None else frame.image
        yield SegmentedFrame(frame, image, read_labels(mask_dir / f"{frame.name}.png", coding=coding).labels)


def write_all(
    results: Iterable[SegmentedFrame],
    outputs: Sequence[Output[SegmentedFrame]],
    num_frames: int | None = None,
    title: str = "",
) -> int:
    """Give every frame to every output, each in a thread of its own, and show progress; returns how many there were.

    num_frames: how many are expected, if known. Raises ValueError if there were none.
    """
    count = 0
    with ExitStack() as stack:
        behind = [stack.enter_context(InBackground(output)) for output in outputs]
        for segmented in tqdm(results, total=num_frames, unit="frame", desc=title):
            for output in behind:
                output.write(segmented)
            count += 1
        if not count:
            raise ValueError(f"{title}: there are no frames in the range asked for")
    return count
