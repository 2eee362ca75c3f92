"""A pass is one run of the tracker over frames of a project: where it starts, what it recomputes, what it writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from livos.segmenter.segmenter import VideoSegmenter
from livos.segmenter.state import SegmenterState, refuse_foreign_state
from livos.studio.project import Project
from livos.studio.runs import Labels
from livos.studio.state_files import StateFile

DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True)
class Pass:
    """A run over the frames from `begin` to `last`, both included; backwards, `last` is below `begin`."""

    direction: str
    start: int  # the frame that the tracker's memory started with
    begin: int
    last: int
    write_from: int  # earlier frames are only recomputed, to rebuild the tracker's memory
    ids: tuple[int, ...] | None  # whose masks are written; None: all tracked objects
    state: SegmenterState | None = None  # None: the memory starts with `labels` at `begin`
    labels: Labels | None = None

    @property
    def step(self) -> int:
        """1 forwards, -1 backwards."""
        return 1 if self.direction == "forward" else -1

    @property
    def num_frames(self) -> int:
        """How many frames the network processes."""
        return abs(self.last - self.begin) + 1

    def writes(self, number: int) -> bool:
        """Whether the mask of a frame is written."""
        return (number - self.write_from) * self.step >= 0

    def written(self) -> range:
        """The frames whose masks are written."""
        return range(self.write_from, self.last + self.step, self.step)


def plan_pass(
    project: Project,
    segmenter: VideoSegmenter,
    direction: str,
    number: int,
    last: int,
    ids: tuple[int, ...] | None = None,
    afresh: bool = False,
) -> Pass:
    """Plans how to track from the mask of a frame.

    The tracker's memory is restored from a saved state of this frame, or one a little earlier, if all frames in between
    are tracked. Otherwise its memory starts with the mask of the frame.

    Args:
        project: The one that contains the masks.
        segmenter: The one to be used; it cannot use states of other weights or sizes.
        direction: forward or backward.
        number: The frame whose mask is to be followed. Its own mask is not written again.
        last: The last frame, ahead in this direction.
        ids: The objects whose masks are to be written; None: all tracked objects.
        afresh: Start with the mask even if there is a saved state.

    Raises:
        ValueError: If the frame has no mask, or there is no frame ahead.
    """
    step = 1 if direction == "forward" else -1
    if (last - number) * step < 1:
        raise ValueError(f"There is nothing to track {direction}s from frame {number}: the range ends there.")
    is_given = bool(project.given_ids(number))
    before = number - step if is_given else number
    found = None if afresh else _kept_state(project, segmenter, direction, before, step)
    if found is not None:
        place, state = found
        return Pass(direction, place.start, place.number + step, last, number + step, ids, state)
    labels = project.labels(number)
    if not labels.any():
        raise ValueError(f"Frame {number} has no mask to start from, and nothing was tracked up to it: draw one first.")
    return Pass(direction, number, number, last, number + step, ids, labels=labels)


def stretches(project: Project, planned: Pass) -> Iterator[tuple[range, tuple[int, ...]]]:
    """The frames of a pass in parts, and the objects that the tracker drops before each because they were deleted."""
    frames = range(planned.begin, planned.last + planned.step, planned.step)
    gone: dict[int, list[int]] = {}
    for change in project.document.changes:
        leaves = change.into == 0 and not change.tracked_only and change.first > 0 and planned.direction == "forward"
        if leaves and change.first in frames and change.id not in project.given_ids(change.first):
            gone.setdefault(change.first, []).append(change.id)
    cuts = [frames.start, *sorted(cut for cut in gone if cut != frames.start), frames.stop]
    for begin, end in pairwise(cuts):
        yield range(begin, end, planned.step), tuple(gone.get(begin, ()))


def _kept_state(
    project: Project, segmenter: VideoSegmenter, direction: str, before: int, step: int
) -> tuple[StateFile, SegmenterState] | None:
    """The last usable state up to a frame, provided that all frames between the two have been tracked."""
    candidates = [
        state
        for state in project.states
        if state.direction == direction
        and (before - state.number) * step >= 0
        and all(project.index.is_there(number) for number in range(state.number + step, before + step, step))
    ]
    for place in sorted(candidates, key=lambda state: (abs(before - state.number), abs(state.start - before))):
        try:
            state = SegmenterState.load(project.state_path(place))
            refuse_foreign_state(state, segmenter.state().origin)
        except (ValueError, OSError):
            continue  # it has other weights or another size, or is damaged: tracking can start with a mask instead
        if set(state.object_ids) & {known.id for known in project.document.objects}:
            return place, state
    return None


def given_labels(project: Project, number: int) -> tuple[Labels | None, tuple[int, ...]]:
    """The (H, W) ids given by hand on a frame, as the segmenter takes them, and the objects marked as absent.

    The ids are None if no mask was given, or if those that were given have no pixels.
    """
    given = project.given(number)
    if given is None:
        return None, ()
    seen = set(np.unique(given.labels).tolist()) - {0}
    return given.labels if seen else None, tuple(i for i in given.ids if i not in seen)
