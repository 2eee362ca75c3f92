"""Tracking a gap between two given masks from both sides; seam.py explains how the sides are joined."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from livos.studio.history import Step
from livos.studio.jobs import Job
from livos.studio.mask_files import Track, Tracked, read_tracked, write_tracked
from livos.studio.passes import Pass, plan_pass
from livos.studio.project import Project
from livos.studio.project_steps import Memo
from livos.studio.seam import agreement, backward_shares, choose_seam, joined
from livos.studio.tracking import Tracker


def refill(tracker: Tracker, job: Job, first: int, last: int, ids: tuple[int, ...] | None = None) -> str:
    """Tracks objects from frame `first` forwards and from `last` backwards, and joins the two. One step of the history.

    If the job is stopped, the forward masks computed so far are kept.

    Args:
        tracker: The tracker of the project.
        job: Receives the progress, and can stop the work.
        first: A frame on which masks of the objects were given by hand.
        last: A later such frame.
        ids: The objects; None: all that were given on both frames.

    Returns:
        A sentence that says how it ended.

    Raises:
        ValueError: If no object was given on both frames, or there is no frame between them.
    """
    project = tracker.project
    both = tuple(i for i in project.given_ids(first) if i in project.given_ids(last))
    chosen = both if ids is None else ids
    if not chosen or not set(chosen) <= set(both):
        raise ValueError(f"Refilling needs an object with a mask given by hand on both frames, {first} and {last}.")
    if last - first < 2:
        raise ValueError(f"There is no frame between {first} and {last}.")
    forward = plan_pass(project, tracker.segmenter, "forward", first, last - 1, chosen)
    backward = plan_pass(project, tracker.segmenter, "backward", last, first + 1, chosen, afresh=True)
    job.expect(forward.num_frames + backward.num_frames + last - first - 1)
    step = project.begin_tracking(f"refilling between frames {first} and {last}", (first + 1, last - 1))
    folder = project.history.folder / f"refill-{project.document.revision}"
    folder.mkdir()
    try:
        tracker.run(job, step, forward)
        if not job.stopped:
            _track_aside(tracker, job, backward, folder)
        if job.stopped:
            return f"Stopped before both sides could be joined between frames {first} and {last}."
        _join(tracker, job, step, range(first + 1, last), chosen, folder)
    finally:
        project.drop_if_empty(step)
    return f"Refilled {last - first - 1} frames between {first} and {last}."


def _track_aside(tracker: Tracker, job: Job, planned: Pass, folder: Path) -> None:
    """Writes the backward side's masks to a separate folder."""
    with closing(tracker.frames(job, planned)) as frames:
        for frame in frames:
            if planned.writes(frame.number):
                objects = {
                    i: Track("backward", sure) for i, sure in frame.confidences.items() if i in (planned.ids or ())
                }
                write_tracked(folder / f"{frame.number:06d}.png", Tracked(frame.labels, objects, 0))
            job.advance(frame.number)


def _join(tracker: Tracker, job: Job, step: Step[Memo], numbers: range, ids: tuple[int, ...], folder: Path) -> None:
    project = tracker.project
    shares = _shares(project, numbers, _open_ids(project, numbers, ids), folder)
    for place, number in enumerate(numbers):
        forward, backward = _sides(project, number, folder)
        here = {i: shares[i][place] for i in shares if i not in project.given_ids(number)}
        objects = {i: _source(i, share, forward, backward) for i, share in here.items()}
        project.write_tracked(step, number, joined(forward.labels, backward.labels, here), objects)
        tracker.tell(number, objects)
        job.advance(number)


def _open_ids(project: Project, numbers: range, ids: tuple[int, ...]) -> list[int]:
    """The objects that are not given on every frame."""
    return [i for i in ids if any(i not in project.given_ids(number) for number in numbers)]


def _shares(project: Project, numbers: range, ids: list[int], folder: Path) -> dict[int, list[float]]:
    """The backward side's share of each object, on each frame of the gap."""
    agreements: dict[int, list[float]] = {i: [] for i in ids}
    sure: dict[int, tuple[list[float], list[float]]] = {i: ([], []) for i in ids}
    for number in numbers:
        forward, backward = _sides(project, number, folder)
        for i in ids:
            agreements[i].append(agreement(forward.labels == i, backward.labels == i))
            for values, side in zip(sure[i], (forward, backward), strict=True):
                values.append(_sureness(side, i))
    return {i: backward_shares(agreements[i], choose_seam(agreements[i], *sure[i])) for i in ids}


def _sureness(side: Tracked, object_id: int) -> float:
    return side.objects[object_id].confidence if object_id in side.objects else 1.0  # given by hand


def _sides(project: Project, number: int, folder: Path) -> tuple[Tracked, Tracked]:
    forward = project.tracked(number)
    assert forward is not None
    return forward, read_tracked(folder / f"{number:06d}.png", project.size)


def _source(object_id: int, share: float, forward: Tracked, backward: Tracked) -> Track:
    by = {0.0: "forward", 1.0: "backward"}.get(share, "seam")
    return Track(by, (1 - share) * _sureness(forward, object_id) + share * _sureness(backward, object_id))
