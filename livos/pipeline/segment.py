"""The loop over the frames of a video: frames in, labels out, to any number of outputs.

Everything that segments a video runs this loop: `livos track`, the evaluation of test sets, validation during training,
Studio, and the measurement of memory. Decoding, the network and encoding run at the same time.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch

from livos.masks.confidence_notes import read_confidence
from livos.masks.given_masks import GivenMask
from livos.masks.label_maps import LabelCoding, read_labels
from livos.pipeline.frames import InputFrame, SegmentedFrame
from livos.pipeline.speed import StepTimer
from livos.pipeline.threads import InBackground, Output, read_ahead
from livos.segmenter.memory_shortage import MemoryShortageError, is_out_of_memory
from livos.segmenter.state import SegmenterState
from livos.video.video_file import Frame

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


class Result(Protocol):
    """The result of a segmenter for one frame; see `livos.SegmentationResult`."""

    @property
    def labels(self) -> np.ndarray:
        """(H, W) ids, 0 for the background. May wait for the device."""

    @property
    def probabilities(self) -> torch.Tensor:
        """(1 + N, H, W), background first."""

    @property
    def object_ids(self) -> list[int]:
        """Ids in the order of the channels."""

    @property
    def confidence(self) -> Mapping[int, float]:
        """The expected J of each object's mask, in [0, 1]. May wait for the device."""


class Segmenter(Protocol):
    """What the loop needs from `livos.VideoSegmenter`."""

    def step(
        self, image: np.ndarray, labels: np.ndarray | None = None, last: bool = False, absent: Sequence[int] = ()
    ) -> Result: ...

    def state(self) -> SegmenterState: ...


def segment(
    inputs: Iterable[InputFrame],
    segmenter: Segmenter,
    size: tuple[int, int],
    *,
    stop_at_damage: bool = False,
    keep_probabilities: bool = False,
    keep_states: bool = False,
    timer: StepTimer | None = None,
) -> Iterator[SegmentedFrame]:
    """Yields frames with labels, each after the next one was started, to keep a GPU busy.

    Args:
        inputs: Frames with given masks; a separate thread reads them, a few frames ahead.
        segmenter: Continues from what it remembers: `reset` it before another video.
        size: (H, W) of the frames, for damaged ones at the beginning.
        stop_at_damage: Raise an error at a frame that could not be decoded, instead of repeating the image and labels
            of the previous frame.
        keep_probabilities: Include probabilities in the results. They are large.
        keep_states: Include what the segmenter remembers after each frame in the results.
        timer: Measures the time of the network's steps.

    Raises:
        ValueError: At a damaged frame that has a mask, or at any if `stop_at_damage`.
        MemoryShortageError: When memory runs out.
    """
    held = _Held(np.zeros((*size, 3), np.uint8))
    with closing(read_ahead(inputs)) as ahead:
        for entry, result, state in _one_behind(_steps(ahead, segmenter, stop_at_damage, timer, keep_states)):
            if result is not None and entry.frame.image is not None:
                held = _Held(entry.frame.image, result)
            yield held.on(entry, state, keep_probabilities)


def replay(frames: Iterable[Frame], mask_dir: Path, coding: LabelCoding) -> Iterator[SegmentedFrame]:
    """Yields frames with the labels and confidence that an earlier run wrote for them.

    Raises:
        ValueError: If a mask is missing or damaged.
    """

    def with_masks() -> Iterator[InputFrame]:
        for frame in frames:
            path = mask_dir / f"{frame.name}.png"
            yield InputFrame(frame, read_labels(path, coding=coding).labels, confidence=read_confidence(path))

    held: np.ndarray | None = None
    with closing(read_ahead(with_masks())) as ahead:
        for entry in ahead:
            assert entry.labels is not None
            held = entry.frame.image if entry.frame.image is not None else held
            image = np.zeros((*entry.labels.shape, 3), np.uint8) if held is None else held
            labels = entry.labels.astype(np.int32, copy=False)
            yield SegmentedFrame(entry.frame, image, labels, confidence=entry.confidence)


def with_given_masks(frames: Iterable[Frame], masks: Mapping[int, GivenMask]) -> Iterator[InputFrame]:
    """Combines frames with given masks, by frame number. Warns about masks whose frame never came.

    Raises:
        ValueError: At a damaged frame that has a mask.
    """
    unused = dict(masks)
    for frame in frames:
        given = unused.pop(frame.number, None)
        if given is not None and frame.image is None:
            raise ValueError(f"frame {frame.number} is damaged, but {given.path} is its mask: draw it on another frame")
        yield InputFrame(frame, None if given is None else given.read().labels)
    for number, mask in unused.items():
        logger.warning("%s is the mask of frame %d, which never came", mask.path, number)


def deliver(
    results: Iterable[SegmentedFrame], outputs: Sequence[Output[SegmentedFrame]], may_be_none: bool = False
) -> Generator[SegmentedFrame, None, None]:
    """Passes every frame to every output, each in its own thread, and then yields it.

    If the iterator is closed early, or after an error, files that need the whole video do not get their final name.

    Raises:
        ValueError: If there are no frames, unless `may_be_none`.
    """
    count = 0
    with ExitStack() as stack:
        behind = [stack.enter_context(InBackground(output)) for output in outputs]
        if isinstance(results, Generator):
            stack.callback(results.close)
        for segmented in results:
            for output in behind:
                output.write(segmented)
            yield segmented
            count += 1
        if not count and not may_be_none:
            raise ValueError("there are no frames in the requested range")


@dataclass(frozen=True)
class _Held:
    """The last image and its result, which are repeated for damaged frames."""

    image: np.ndarray  # (H, W, 3)
    result: Result | None = None

    def on(self, entry: InputFrame, state: SegmenterState | None, keep_probabilities: bool) -> SegmentedFrame:
        """Waits for the device."""
        if self.result is None:
            labels = np.zeros(self.image.shape[:2], np.int32)
            return SegmentedFrame(entry.frame, self.image, labels, entry.wanted, state=state)
        probabilities = self.result.probabilities if keep_probabilities else None
        ids = tuple(self.result.object_ids)
        return SegmentedFrame(
            entry.frame,
            self.image,
            self.result.labels,
            entry.wanted,
            ids,
            probabilities,
            state,
            self.result.confidence,
        )


def _steps(
    inputs: Iterable[InputFrame],
    segmenter: Segmenter,
    stop_at_damage: bool,
    timer: StepTimer | None,
    keep_states: bool,
) -> Iterator[tuple[InputFrame, Result | None, SegmenterState | None]]:
    for entry in inputs:
        result = None
        if entry.frame.image is not None:
            with timer.step() if timer else nullcontext():
                result = _step(segmenter, entry)
        elif stop_at_damage:
            raise ValueError(
                f"frame {entry.frame.number} is damaged; --damaged hold would continue with the previous mask"
            )
        yield entry, result, segmenter.state() if keep_states else None


def _step(segmenter: Segmenter, entry: InputFrame) -> Result:
    assert entry.frame.image is not None
    try:
        return segmenter.step(entry.frame.image, entry.labels, last=entry.last, absent=entry.absent)
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise MemoryShortageError.of(error, segmenter) from error
        raise


def _one_behind(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, each after the next one was started, so that a GPU stays busy while its result is read."""
    waiting: list[Item] = []
    for item in items:
        waiting.append(item)
        if len(waiting) > 1:
            yield waiting.pop(0)
    yield from waiting
