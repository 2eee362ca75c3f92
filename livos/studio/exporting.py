"""Exports of a project: everything that `livos track` writes, and data sets for YOLO."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np

from livos.files.atomic import written_aside
from livos.masks.label_maps import LabelCoding
from livos.pipeline.frames import SegmentedFrame
from livos.pipeline.job import ALPHA_FORMATS, make_outputs
from livos.pipeline.outputs import CutOutVideos, VideoOutput
from livos.pipeline.segment import deliver
from livos.pipeline.threads import read_ahead
from livos.studio.jobs import Job
from livos.studio.opening import PROJECT_SUFFIX
from livos.studio.project import Project
from livos.studio.session import Session
from livos.studio.yolo import YoloFiles
from livos.video.sources import FrameSource

KINDS = ("masks", "overlay", "boxes", "cutouts", "prores", "vp9", "coco", "yolo")


@dataclass(frozen=True)
class Export:
    """Files that were written."""

    id: int
    folder: Path
    kinds: tuple[str, ...]
    first: int
    last: int
    files: int
    bytes: int


def begin_export(session: Session, kinds: list[str], first: int, last: int) -> int:
    """Starts writing some kinds of files for frames `first` to `last`, and returns the number of the job."""
    session.check_number(first)
    session.check_number(last)
    if last < first:
        raise ValueError(f"The range ends at frame {last}, before it begins at {first}.")
    project, source = session.project, session.source
    if not project.document.objects:
        raise ValueError("There is no object to export yet: add one and draw its mask.")

    def work(job: Job) -> str:
        folder = export(job, project, source, kinds, first, last)
        if folder is None:
            return "The export was stopped; no files were kept."
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        made = Export(job.progress.id, folder, tuple(kinds), first, last, len(sizes), sum(sizes))
        session.exports.append(made)
        return f"Exported {len(sizes)} files to {folder}."

    return session.jobs.start("export", "Exporting", (first, last), work)


def export(
    job: Job, project: Project, source: FrameSource, kinds: list[str], first: int, last: int, folder: Path | None = None
) -> Path | None:
    """Writes some kinds of files, and returns their folder. If the job was stopped, no files are kept: returns None.

    Args:
        job: Receives the progress, and can stop the work.
        project: The one that contains the masks.
        source: Its video.
        kinds: Some of KINDS.
        first: First frame.
        last: Last frame.
        folder: One that does not exist yet; by default a new one next to the project.
    """
    folder = folder or _new_folder(project)
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    job.expect(last - first + 1)
    try:
        outputs = _outputs(project, source, kinds, aside, last == project.num_frames - 1)
        with closing(deliver(segmented_frames(project, source, first, last), outputs)) as delivered:
            for item in delivered:
                job.advance(item.number)
                if job.stopped:
                    break
        if job.stopped and job.progress.done < job.progress.total:
            return None
        aside.rename(folder)
        return folder
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def segmented_frames(
    project: Project, source: FrameSource, first: int, last: int
) -> Generator[SegmentedFrame, None, None]:
    """Frames with the masks shown on them, read in a separate thread."""

    def read() -> Generator[SegmentedFrame, None, None]:
        image = np.zeros((*source.size, 3), np.uint8)
        for frame in source.frames(first, last + 1):
            image = image if frame.image is None else frame.image
            labels, tracked = project.labels(frame.number).astype(np.int32), project.tracked(frame.number)
            sure = {} if tracked is None else {i: track.confidence for i, track in tracked.objects.items()}
            yield SegmentedFrame(frame, image, labels, confidence=sure)

    yield from read_ahead(read())


def zipped(made: Export) -> Path:
    """An export as one .zip file, made once, next to its folder."""
    path = made.folder.with_name(f"{made.folder.name}.zip")
    if not path.exists():
        with written_aside(path) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(made.folder.rglob("*")):
                archive.write(file, Path(made.folder.name) / file.relative_to(made.folder))
    return path


def _outputs(project: Project, source: FrameSource, kinds: list[str], folder: Path, to_end: bool) -> list[VideoOutput]:
    names = {known.id: known.name for known in project.document.objects}
    made = make_outputs(kinds, folder, source, names, folder / "masks", LabelCoding(), to_end=to_end)
    for video in ("prores", "vp9"):
        if video in kinds:
            made.append(CutOutVideos(folder / f"cutouts-{video}", list(names), ALPHA_FORMATS[video], source))
    if "yolo" in kinds:
        made.append(YoloFiles(folder / "yolo", names))
    return made


def _new_folder(project: Project) -> Path:
    name = project.folder.name.removesuffix(PROJECT_SUFFIX)
    candidates = (project.folder.with_name(f"{name}-export-{number}") for number in count(1))
    return next(candidate for candidate in candidates if not candidate.exists())
