"""What one `livos studio` works on: no video yet, or a project with its video, and the running job."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from livos.segmenter.segmenter import VideoSegmenter
from livos.studio.choices import Choices
from livos.studio.choosing import FileChooser
from livos.studio.clicking import ClickedFrame
from livos.studio.document import Settings
from livos.studio.frames import Cache, FrameStore
from livos.studio.history import Step
from livos.studio.jobs import Job, JobRunner
from livos.studio.magnet import Magnet
from livos.studio.mask_files import Track
from livos.studio.opening import Opened, ask_for, demo_clip, open_path, open_video, refuse_other_video
from livos.studio.pages import Pages
from livos.studio.project import Project
from livos.studio.project_steps import Memo
from livos.studio.refilling import refill
from livos.studio.runs import Labels, to_runs
from livos.studio.tools import suggest
from livos.studio.tracking import Segmenters, Tracker
from livos.video.sources import FrameSource

MASK_BYTES = 32 * 2**20
DOUBTFUL = 0.5
"""Frames below this confidence are worth checking."""

CHOOSE = "Choose a video, drop one here, or use the demo clip."


class Session:
    """Everything that the pages of one server share. ValueError, LookupError and OSError carry sentences for users."""

    def __init__(
        self,
        pages: Pages,
        settings: Settings | None = None,
        project_folder: Path | None = None,
        make_segmenter: Callable[[Settings], VideoSegmenter] | None = None,
    ):
        """settings: for new projects. project_folder: for the video that is opened first, in place of the default."""
        self.pages, self._settings, self._project_folder = pages, settings, project_folder
        self.chooser = FileChooser([Path.cwd(), Path.home()])
        self.changed = asyncio.Event()
        self.jobs = JobRunner(self.tell, self.note)
        self.exports: list[Any] = []
        self._segmenters = Segmenters(make_segmenter)
        self._phase, self._sentence = "choose", CHOOSE
        self._opened: Opened | None = None
        self._frames: FrameStore | None = None
        self._magnet = Magnet()
        self._clicked = ClickedFrame()
        self._masks: Cache[tuple[bytes, tuple[int, ...]]] = Cache(MASK_BYTES, lambda kept: len(kept[0]))
        self._edits = 0  # grows whenever masks change: a mask that was read meanwhile is not cached
        self._lock = threading.RLock()

    # Reading

    @property
    def project(self) -> Project:
        """The open project. Raises BlockingIOError while there is none, or its video is missing."""
        if self._phase != "ready" or self._opened is None:
            raise BlockingIOError("No video is open yet.")
        return self._opened.project

    @property
    def source(self) -> FrameSource:
        """The frames of the open project's video."""
        opened = self._opened
        if self._phase != "ready" or opened is None or opened.source is None:
            raise BlockingIOError("No video is open yet.")
        return opened.source

    @property
    def frames(self) -> FrameStore:
        """The pictures of the open project's video."""
        if self._frames is None:
            raise BlockingIOError("No video is open yet.")
        return self._frames

    def state(self) -> dict[str, Any]:
        """The `State` that page/protocol.js describes."""
        opened, ready = self._opened, self._phase == "ready"
        progress = self.jobs.progress
        state: dict[str, Any] = {
            "phase": self._phase,
            "sentence": self._sentence,
            "project": None,
            "video": None,
            "objects": [],
            "range": None,
            "settings": None,
            "choices": asdict(self._choices()),
            "undo": None,
            "redo": None,
            "job": None if progress is None or progress.kind == "open" else asdict(progress),
            "exports": [asdict(export) | {"folder": str(export.folder)} for export in self.exports],
            "doubtful_below": DOUBTFUL,
            "demo": demo_clip() is not None,
        }
        if opened is not None:
            state |= _state_of(opened.project)
        if opened is not None and ready:
            state["video"] |= {
                "frame_rate": float(self.source.frame_rate),
                "has_sound": self.source.sound_path is not None,
            }
        return state

    def labels(self, number: int) -> Labels:
        """(H, W) uint8: the masks shown on a frame."""
        self.check_number(number)
        return self.project.labels(number)

    def runs(self, number: int) -> tuple[bytes, tuple[int, ...]]:
        """The mask of a frame as runs, and the ids that were given by hand there."""
        self.check_number(number)
        kept, edits = self._masks.get(number), self._edits
        if kept is None:
            kept = to_runs(self.project.labels(number)), self.project.given_ids(number)
            if edits == self._edits:
                self._masks.put(number, kept)
        return kept

    def check_number(self, number: int) -> None:
        """Raises LookupError if there is no such frame."""
        if not 0 <= number < self.project.num_frames:
            raise LookupError(f"There is no frame {number}: the video has frames 0 to {self.project.num_frames - 1}.")

    # Opening

    def open(self, path: Path, dropped: bool = False) -> None:
        """Starts opening a video or project. In phase `missing`, `path` is where the project's video is now.

        dropped: whether the file is a copy of a video that was dropped into the page. If it cannot be opened, it is
        removed.
        """
        self.refuse_unless_choosing()
        missing = self._opened if self._phase == "missing" else None
        self._phase, self._sentence = "opening", f"Opening {path.name} …"
        self.pages.tell({"type": "opening", "sentence": self._sentence, "share": None})
        self.jobs.start("open", f"Opening {path.name}", (0, 0), lambda job: self._open(path, missing, dropped))

    def open_demo(self) -> None:
        """Starts opening the demo clip; its project goes to the working directory."""
        clip = demo_clip()
        if clip is None:
            raise LookupError("The demo clip is not on this machine: it comes with the repository.")
        self._project_folder = self._project_folder or Path.cwd() / f"{clip.name}.livos"
        self.open(clip)

    def refuse_unless_choosing(self) -> None:
        """Raises BlockingIOError if a video is open, or being opened."""
        if self._phase not in ("choose", "missing"):
            raise BlockingIOError("A video is already open: start `livos studio` again for another one.")

    def _open(self, path: Path, missing: Opened | None, dropped: bool) -> str:
        phase = "choose" if missing is None else "missing"
        sentence = CHOOSE if missing is None else ask_for(missing)
        try:
            if missing is not None:
                source, note = open_video(path)
                refuse_other_video(missing.project, note)
                missing.project.set_video_path(path.resolve())
                opened = Opened(missing.project, source)
            else:
                opened = open_path(path, self._project_folder)
            self._take(opened)
            phase, sentence = ("missing", ask_for(opened)) if opened.source is None else ("ready", "")
        except BaseException:
            if dropped:
                path.unlink(missing_ok=True)
            raise
        finally:
            self._phase, self._sentence = phase, sentence
        return f"{opened.project.folder.name} is open." if opened.source is not None else sentence

    def _take(self, opened: Opened) -> None:
        """Makes a project the open one. If that fails, a newly opened project is released again."""
        is_new = opened.project.document.revision == 0
        try:
            frames = None if opened.source is None else FrameStore(opened.source)
            if self._settings is not None and is_new:
                opened.project.set_settings(self._settings)
            if frames is not None:
                frames.open()
        except BaseException:
            if self._opened is None:  # otherwise the project was open before, and still waits for its video
                opened.project.close()
            raise
        self._opened, self._frames = opened, frames

    # Changing

    def edit(self) -> AbstractContextManager[Any]:
        """A context in which the project may be changed. Raises BlockingIOError while a job is running."""
        progress = self.jobs.progress
        if progress is not None and progress.kind != "open":
            raise BlockingIOError(f"{progress.title} is under way: stop it first.")
        return self._lock

    def masks_changed(self, first: int, last: int) -> None:
        """Tells the pages that masks of some frames have changed."""
        self._edits += 1
        self._masks.clear()
        if first <= last:
            self.pages.tell({"type": "changed", "first": first, "last": last})
        self.tell()

    def travel(self, move: Callable[[Project], Step[Memo]], nothing: str) -> Step[Memo]:
        """Undoes or redoes a step. Raises BlockingIOError, with the sentence `nothing`, if there is none."""
        with self.edit():
            try:
                step = move(self.project)
            except IndexError as error:
                raise BlockingIOError(nothing) from error
        self.masks_changed(*step.frames)
        return step

    def set_settings(self, fields: dict[str, Any]) -> Settings:
        """Changes the settings for tracking. Raises ValueError for what is not available."""
        settings = replace(self.project.document.settings, **fields)
        self._choices().check(settings)
        self.project.set_settings(settings)
        self.tell()
        return settings

    def suggest(self, number: int, object_id: int, request: dict[str, Any]) -> np.ndarray:
        """The mask (H, W) bool that a tool makes from an object's mask on a frame."""
        self.check_number(number)
        self.project.document.object(object_id)
        image, _ = self.frames.image(number)
        if request.get("tool") == "click":
            return self._clicked.mask(number, image, request)
        return suggest(image, self.project.labels(number) == object_id, request)

    def path_along_edges(
        self, number: int, begin: tuple[float, float], end: tuple[float, float]
    ) -> list[tuple[float, float]]:
        """Corners of the path between two points of a frame."""
        self.check_number(number)
        return self._magnet.path(number, self.frames.image(number)[0], begin, end)

    # Tracking

    def track(self, number: int, direction: str, first: int, last: int, ids: Sequence[int] | None) -> int:
        """Starts tracking, and returns the number of the job."""
        project = self.project
        for frame in (number, first, last):
            self.check_number(frame)
        if direction not in ("forward", "backward", "both"):
            raise ValueError(f"There is no direction {direction!r}.")
        if not project.labels(number).any() and not project.given_ids(number):
            raise ValueError(f"Frame {number} has no mask to start from: draw one first.")
        chosen = None if ids is None else tuple(project.document.object(i).id for i in ids)
        title = {"forward": "Tracking forwards", "backward": "Tracking backwards", "both": "Tracking both ways"}
        begin, end = (number if direction == "forward" else first), (number if direction == "backward" else last)

        def work(job: Job) -> str:
            return self._tracker().track(job, number, direction, first, last, chosen)

        return self.jobs.start("track", title[direction], (begin, end), work)

    def refill(self, first: int, last: int, ids: Sequence[int] | None) -> int:
        """Starts refilling a gap between two given masks, and returns the number of the job."""
        self.check_number(first)
        self.check_number(last)
        chosen = None if ids is None else tuple(self.project.document.object(i).id for i in ids)
        return self.jobs.start(
            "refill", "Refilling", (first, last), lambda job: refill(self._tracker(), job, first, last, chosen)
        )

    def close(self) -> None:
        """Stops the running job, and releases the project for other programs."""
        self.jobs.close()
        if self._opened is not None:
            self._opened.project.close()
            self._opened = None
        self._phase = "choose"

    def tell(self) -> None:
        """Has the state sent to the pages soon."""
        self.pages.soon(self.changed.set)

    def note(self, level: str, sentence: str) -> None:
        """Has a sentence shown on the pages."""
        self.pages.tell({"type": "note", "level": level, "sentence": sentence})

    def _choices(self) -> Choices:
        return Choices.here(None if self._settings is None else self._settings.weights)

    def _tracker(self) -> Tracker:
        segmenter = self._segmenters.get(self.project.document.settings)
        return Tracker(self.project, self.source, segmenter, self._frame_tracked, self.frames.take)

    def _frame_tracked(self, number: int, objects: dict[int, Track]) -> None:
        self._edits += 1
        self._masks.drop(number)
        by = next((track.by for track in objects.values()), "forward")
        confidence = {str(i): round(track.confidence, 3) for i, track in objects.items()}
        self.pages.tell({"type": "frame", "frame": number, "by": by, "confidence": confidence})


def _state_of(project: Project) -> dict[str, Any]:
    document = project.document
    video = document.video
    return {
        "project": {"name": project.folder.name, "folder": str(project.folder)},
        "video": {
            "name": Path(video.path).name,
            "width": video.width,
            "height": video.height,
            "num_frames": video.num_frames,
        },
        "objects": [asdict(known) for known in document.objects],
        "range": {"first": document.range[0], "last": document.range[1]},
        "settings": asdict(document.settings),
        "undo": project.history.undo_title,
        "redo": project.history.redo_title,
    }
