"""Opening a project and its video from a path that the user gives or chooses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from livos.studio.document import VideoNote
from livos.studio.project import Project, is_project
from livos.video.sources import Camera, FrameSource, find_videos

PROJECT_SUFFIX = ".livos"


@dataclass(frozen=True)
class Opened:
    """A project, and its video if it was found."""

    project: Project
    source: FrameSource | None


def open_path(path: Path, folder: Path | None = None) -> Opened:
    """Opens a project, or the project of a video, which is created if there is none.

    Args:
        path: Of a project, a video file or a folder of frames.
        folder: Of the video's project; by default next to the video, with its name.

    Raises:
        ValueError: If it is none of these, or the project belongs to another video.
        OSError: If it cannot be read, or the project cannot be written.
    """
    path = path.resolve()
    if is_project(path):
        with _released_on_failure(Project.open(path)) as project:
            return _with_its_video(project)
    source, note = open_video(path)
    folder = folder or default_folder(path)
    if not is_project(folder):
        return Opened(Project.create(folder, note), source)
    with _released_on_failure(Project.open(folder)) as project:
        refuse_other_video(project, note)
        if project.document.video.path != note.path:
            project.set_video_path(path)
    return Opened(project, source)


def open_video(path: Path) -> tuple[FrameSource, VideoNote]:
    """The frames of one video, and what a project records about it. Reads the whole file to count the frames.

    Raises:
        ValueError: If it is not exactly one video; the message names it.
        OSError: If it cannot be read.
    """
    found = find_videos(str(path))
    if len(found) != 1:
        names = ", ".join(video.name for video in found[:3])
        raise ValueError(f"{path} contains {len(found)} videos ({names}, …): choose one of them.")
    source = found[0].open()
    if isinstance(source, Camera):
        raise ValueError("Studio cannot work on a camera: its frames cannot be read twice.")
    height, width = source.size
    return source, VideoNote(str(path.resolve()), width, height, source.end() - source.first_number)


def refuse_other_video(project: Project, note: VideoNote) -> None:
    """Raises ValueError if a video cannot be the one that a project was made with."""
    known = project.document.video
    if (known.width, known.height, known.num_frames) != (note.width, note.height, note.num_frames):
        raise ValueError(
            f"{note.path} has {note.num_frames} frames of {note.width} x {note.height}, but the video of "
            f"{project.folder} has {known.num_frames} of {known.width} x {known.height}: it is a different video."
        )


def ask_for(opened: Opened) -> str:
    """The question for the user where the missing video of a project is."""
    video = opened.project.document.video
    return (
        f"The video of this project, {Path(video.path).name} ({video.num_frames} frames of {video.width} x "
        f"{video.height}), is no longer at {video.path}. Where is it?"
    )


def default_folder(path: Path) -> Path:
    """Where the project of a video goes: next to it or, if that is not writable, in the working directory."""
    name = (path.name if path.is_dir() else path.stem) + PROJECT_SUFFIX
    return (path.parent if os.access(path.parent, os.W_OK) else Path.cwd()) / name


def demo_clip() -> Path | None:
    """The frames of the demo clip; None if it is not on this machine, since only the repository contains it."""
    clip = Path(__file__).resolve().parents[2] / "examples/demo/JPEGImages/launch-pad-cafe"
    return clip if clip.is_dir() else None


@contextmanager
def _released_on_failure(project: Project) -> Iterator[Project]:
    """Releases the project for other programs if the block fails."""
    try:
        yield project
    except BaseException:
        project.close()
        raise


def _with_its_video(project: Project) -> Opened:
    """Looks for the video at its earlier path and next to the project."""
    noted = Path(project.document.video.path)
    for path in (noted, project.folder.parent / noted.name):
        if not path.exists():
            continue
        try:
            source, note = open_video(path)
            refuse_other_video(project, note)
        except (ValueError, OSError):
            continue
        if path != noted:
            project.set_video_path(path)
        return Opened(project, source)
    return Opened(project, None)
