"""Tracking the objects of a project, with the same loop as the rest of LiVOS."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from livos.checkpoints import best_short_side
from livos.loading import find_weights, load_model
from livos.pipeline.frames import InputFrame
from livos.pipeline.segment import segment
from livos.segmenter.segmenter import VideoSegmenter
from livos.segmenter.state import SegmenterState
from livos.studio.document import Settings
from livos.studio.history import Step
from livos.studio.jobs import Job
from livos.studio.mask_files import Track
from livos.studio.passes import Pass, given_labels, plan_pass, stretches
from livos.studio.project import Project
from livos.studio.project_steps import Memo
from livos.studio.runs import Labels
from livos.studio.state_files import EVERY, StateFile, superfluous
from livos.video.sources import FrameSource
from livos.video.video_file import Frame

logger = logging.getLogger(__name__)

BEHIND = 4
"""The most frames that may wait to be written."""


@dataclass(frozen=True)
class TrackedFrame:
    """What a pass found on a frame."""

    number: int
    labels: Labels  # (H, W), of all tracked objects
    confidences: dict[int, float]  # by object
    state: SegmenterState


class Segmenters:
    """The segmenter for some settings; the last one is kept."""

    def __init__(self, make: Callable[[Settings], VideoSegmenter] | None = None):
        self._make, self._lock = make or build_segmenter, threading.Lock()
        self._made: tuple[Settings, VideoSegmenter] | None = None

    def get(self, settings: Settings) -> VideoSegmenter:
        """Raises ValueError or OSError, with a sentence, if it cannot be made."""
        with self._lock:
            if self._made is None or self._made[0] != settings:
                self._made = None  # two networks may not fit into memory at once
                self._made = settings, self._make(settings)
            return self._made[1]


def build_segmenter(settings: Settings) -> VideoSegmenter:
    """Raises ValueError or OSError, with a sentence, if there are no such weights, or no such device."""
    size = settings.size or best_short_side(find_weights(settings.weights).path)
    return VideoSegmenter(load_model(settings.weights), settings.device, settings.precision, size)


class Tracker:
    """Tracks objects of a project.

    told: called for each frame whose mask was written, with its number and the written objects.
    seen: called for each frame that was read from the video.
    """

    def __init__(
        self,
        project: Project,
        source: FrameSource,
        segmenter: VideoSegmenter,
        told: Callable[[int, dict[int, Track]], None] = lambda number, objects: None,
        seen: Callable[[Frame], None] = lambda frame: None,
    ):
        self.project, self.source, self.segmenter = project, source, segmenter
        self.tell, self.see = told, seen

    def track(
        self, job: Job, number: int, direction: str, first: int, last: int, ids: tuple[int, ...] | None = None
    ) -> str:
        """Follows the mask of a frame forward to `last`, backward to `first`, or both. One step of the history.

        Args:
            job: Receives the progress, and can stop the work.
            number: Of the frame.
            direction: forward, backward or both.
            first: Frame to track backward to.
            last: Frame to track forward to.
            ids: The objects whose masks are written. None: forward, all tracked objects; backward, those given on the
                frame or, if there are none, those tracked backward there or, if there are none either, all.

        Returns:
            A sentence that says how it ended.

        Raises:
            ValueError: If the frame has no mask, or there is nothing ahead.
        """
        passes = []
        if direction == "backward" or (direction == "both" and number > first):
            written = ids if ids is not None else self._ids_backward(number)
            passes.append(plan_pass(self.project, self.segmenter, "backward", number, first, written))
        if direction == "forward" or (direction == "both" and (number < last or not passes)):
            passes.insert(0, plan_pass(self.project, self.segmenter, "forward", number, last, ids))
        job.expect(sum(planned.num_frames for planned in passes))
        step = self.project.begin_tracking(f"tracking from frame {number}", _span(passes))
        try:
            count = sum(self.run(job, step, planned) for planned in passes)
        finally:
            self.project.drop_if_empty(step)
        return f"Tracked {_frames(count)} from frame {number}{'; stopped' if job.stopped else ''}."

    def run(self, job: Job, step: Step[Memo], planned: Pass) -> int:
        """Runs one pass, and returns how many masks were written."""
        self.project.drop_states(step, planned.direction, planned.written())
        count = 0
        with Behind() as behind, closing(self.frames(job, planned)) as frames:
            newest: TrackedFrame | None = None
            for frame in frames:
                if planned.writes(frame.number):
                    behind.do(self._write, step, planned, frame)
                    newest, count = frame, count + 1
                elif frame.number == planned.start:  # a correction soon after can continue from here
                    behind.do(self._keep, step, planned, frame)
                behind.do(job.advance, frame.number)
            if newest is not None:
                behind.do(self._keep, step, planned, newest)
        return count

    def frames(self, job: Job, planned: Pass) -> Generator[TrackedFrame, None, None]:
        """The results of a pass, frame by frame, until the job is stopped."""
        self.segmenter.reset()
        if planned.state is not None:
            self.segmenter.restore(planned.state)
        known = {known.id for known in self.project.document.objects}
        for numbers, leaving in stretches(self.project, planned):
            gone = set(leaving) | (set(self.segmenter.object_ids) - known)
            self.segmenter.remove(sorted(gone & set(self.segmenter.object_ids)))
            with closing(self._followed(planned, numbers)) as followed:
                for frame in followed:
                    yield frame
                    if job.stopped:
                        return

    def _followed(self, planned: Pass, numbers: range) -> Generator[TrackedFrame, None, None]:
        segmented = segment(self._inputs(planned, numbers), self.segmenter, self.source.size, keep_states=True)
        with ExitStack() as stack:
            stack.callback(segmented.close)  # type: ignore[attr-defined]
            for item in segmented:
                assert item.state is not None
                sure = {i: item.confidence.get(i, 0.0) for i in item.object_ids}
                yield TrackedFrame(item.number, item.labels.astype(np.uint8), sure, item.state)

    def _inputs(self, planned: Pass, numbers: range) -> Generator[InputFrame, None, None]:
        """Frames with what was given by hand (also absences), and with the mask that the memory starts with."""
        low, high = min(numbers[0], numbers[-1]), max(numbers[0], numbers[-1]) + 1
        for frame in self.source.frames(low, high, backward=planned.direction == "backward"):
            self.see(frame)
            begins = frame.number == planned.begin and planned.labels is not None
            labels, absent = given_labels(self.project, frame.number)
            labels = planned.labels if begins else labels
            if frame.image is None and (labels is not None or absent):
                what = "its mask" if labels is not None else "the absence of an object"
                raise ValueError(f"Frame {frame.number} is damaged, so {what} cannot be used: give it on another.")
            yield InputFrame(frame, None if labels is None else labels.astype(np.int32), absent=absent)

    def _ids_backward(self, number: int) -> tuple[int, ...] | None:
        given, tracked = self.project.given_ids(number), self.project.tracked(number)
        backward = () if tracked is None else [i for i, track in tracked.objects.items() if track.by == "backward"]
        return tuple(given or backward) or None

    def _write(self, step: Step[Memo], planned: Pass, frame: TrackedFrame) -> None:
        given = self.project.given_ids(frame.number)
        objects = {
            i: Track(planned.direction, sure)
            for i, sure in frame.confidences.items()
            if i not in given and (planned.ids is None or i in planned.ids)
        }
        self.project.write_tracked(step, frame.number, frame.labels, objects)
        if frame.number % EVERY == 0:
            self._keep(step, planned, frame)
        self.tell(frame.number, objects)

    def _keep(self, step: Step[Memo], planned: Pass, frame: TrackedFrame) -> None:
        kept = StateFile(planned.direction, planned.start, frame.number)
        if kept not in self.project.states:
            self.project.write_state(step, kept, frame.state)
        numbers = [s.number for s in self.project.states if (s.direction, s.start) == (kept.direction, kept.start)]
        self.project.drop_states(step, kept.direction, superfluous(numbers, frame.number), kept.start)


class Behind:
    """Runs functions one after another in a separate thread, which may lag by a few frames (BEHIND).

    If one fails, a later `do`, or the end of the block, raises its error.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="studio-writer")
        self._waiting: deque[Future[None]] = deque()

    def do(self, thing: Callable[..., None], *arguments: Any) -> None:
        """Has a function called with some arguments."""
        self._waiting.append(self._thread.submit(thing, *arguments))
        while len(self._waiting) > 2 * BEHIND:  # for each frame there are two functions: to write, and to report
            self._waiting.popleft().result()

    def __enter__(self) -> Behind:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown(wait=True)  # what was computed is written, whatever happened afterwards
        if kind is None:
            for waiting in self._waiting:
                waiting.result()


def _span(passes: Sequence[Pass]) -> tuple[int, int]:
    numbers = [number for planned in passes for number in (planned.write_from, planned.last)]
    return min(numbers), max(numbers)


def _frames(count: int) -> str:
    return f"{count} frame{'' if count == 1 else 's'}"
