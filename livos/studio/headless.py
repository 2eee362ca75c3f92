"""Tracking a project without the page: whatever its given masks require and is not done yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livos.segmenter.segmenter import VideoSegmenter
from livos.studio.document import Settings
from livos.studio.exporting import KINDS, export
from livos.studio.jobs import Job, Progress
from livos.studio.opening import open_path
from livos.studio.project import Project, is_project
from livos.studio.project_steps import DOCUMENT
from livos.studio.tracking import Tracker, build_segmenter


@dataclass(frozen=True)
class Wanted:
    """A tracking run that a project requires."""

    number: int  # the frame whose mask is followed
    direction: str  # forward or backward
    last: int
    ids: tuple[int, ...] | None = None  # None: all that are followed


def track_project(
    folder: Path,
    *,
    write: Sequence[str] = (),
    output: Path | None = None,
    progress: Callable[[Progress], None] = lambda progress: None,
    make_segmenter: Callable[[Settings], VideoSegmenter] | None = None,
) -> Path | None:
    """Tracks all objects of a project within its range, and exports files, as the page does.

    Tracked masks that are newer than all given masks before them are not tracked again, so an interrupted run resumes.

    Args:
        folder: The project.
        write: Kinds of files to write afterwards, some of `exporting.KINDS`.
        output: A folder for them that does not exist yet; by default a new one next to the project.
        progress: Called after each frame.
        make_segmenter: Makes the segmenter from the project's settings, in place of `build_segmenter`.

    Returns:
        The folder of the files; None if none were requested.

    Raises:
        ValueError: If it is not a project, its video is missing, no mask was given, or a kind of file is unknown.
        OSError: If something cannot be read or written.
    """
    if not is_project(folder):
        raise ValueError(f"{folder}: not a LiVOS Studio project (it contains no {DOCUMENT})")
    if unknown := sorted(set(write) - set(KINDS)):
        raise ValueError(f"write={unknown[0]!r}: expected some of {', '.join(KINDS)}")
    if output is not None and output.exists():
        raise ValueError(f"{output}: already exists; files of a project are written to a new folder")
    opened = open_path(folder)
    with closing(opened.project) as project:
        if opened.source is None:
            raise ValueError(f"{folder}: its video is not at {project.document.video.path}: open it in Studio first")
        if not project.marks():
            raise ValueError(f"{folder}: no mask has been given by hand yet: draw one in Studio first")
        wanted = list(what_is_left(project))
        if wanted:
            segmenter = (make_segmenter or build_segmenter)(project.document.settings)
            tracker = Tracker(project, opened.source, segmenter)
            for one in wanted:
                first, last = sorted((one.number, one.last))
                tracker.track(_job("track", first, last, progress), one.number, one.direction, first, last, one.ids)
        if not write:
            return None
        first, last = project.document.range
        return export(_job("export", first, last, progress), project, opened.source, list(write), first, last, output)


def what_is_left(project: Project) -> Iterator[Wanted]:
    """The tracking runs that are still to be done within the range.

    One runs forward from the first mask, and picks up later given masks. For every object that was first given after
    the in point, another runs backward from there.
    """
    first, last = project.document.range
    marks = {number: _visible(project, number) for number in project.marks() if first <= number <= last}
    marks = {number: ids for number, ids in marks.items() if ids}
    if not marks:
        return
    begin = _not_done(project, range(min(marks), last + 1))
    if begin is not None:
        yield Wanted(begin, "forward", last)
    appearing: dict[int, list[int]] = {}
    seen: set[int] = set()
    for number, ids in marks.items():
        appearing[number] = [i for i in ids if i not in seen]
        seen |= set(ids)
    for number, new in appearing.items():
        if not new or number == first:
            continue
        written = project.tracked(number - 1)
        if written is None or not set(new) <= set(written.objects) or written.revision < project.given_revision(number):
            yield Wanted(number, "backward", first, tuple(new))


def _visible(project: Project, number: int) -> list[int]:
    """The objects that were given on a frame, without those marked as absent."""
    given = project.given(number)
    return [] if given is None else sorted(set(np.unique(given.labels).tolist()) - {0})


def _not_done(project: Project, numbers: range) -> int | None:
    """The frame before the first one whose mask is missing, or older than a mask given before it; None if none is."""
    newest = -1
    for number in numbers:
        if number > numbers.start and project.index.revision(number) < max(0, newest):
            return number - 1
        newest = max(newest, project.given_revision(number))
    return None


def _job(kind: str, first: int, last: int, progress: Callable[[Progress], None]) -> Job:
    job = Job(Progress(1, kind, kind, first, last), lambda: progress(job.progress))
    return job
