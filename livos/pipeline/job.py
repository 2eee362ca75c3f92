"""One video to segment, as a value: its inputs and the requested outputs. It can be run, watched, stopped and resumed.

    job = TrackJob.of(find_videos("video.mp4")[0], Path("mask.png"), Path("results/video"), TrackSettings())
    for progress in job.run(VideoSegmenter("lite")):
        print(progress.done, progress.total)

Leaving the loop early stops the job. The same job, started again, continues where it was, and the masks are the same.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from livos.files.atomic import clear_leftovers
from livos.files.folder_lock import folder_in_use
from livos.masks.label_maps import COLOUR_RULES, LabelCoding
from livos.pipeline.doubtful import DoubtfulRun, doubtful_runs
from livos.pipeline.frames import SegmentedFrame
from livos.pipeline.job_record import Begun, JobRecord, stamp, stamp_of_mask
from livos.pipeline.object_reports import CocoReport, ObjectReport
from livos.pipeline.outputs import CutOutImages, CutOutVideos, MaskFiles, OverlayVideo, VideoOutput
from livos.pipeline.ranges import FrameRange, frame_range
from livos.pipeline.segment import Segmenter, deliver, replay, segment, with_given_masks
from livos.pipeline.threads import DEPTH
from livos.pipeline.video_masks import VideoMasks, masks_of_video
from livos.segmenter.state import SegmenterState
from livos.video.camera import LiveSource
from livos.video.sources import FoundVideo, FrameSource
from livos.video.video_file import Frame
from livos.video.writer import H264, PRORES_4444, VP9_ALPHA, VideoWriter, suffix_for_sound

logger = logging.getLogger(__name__)

KINDS = ("masks", "overlay", "boxes", "cutouts", "coco")
ALPHA_FORMATS = {"prores": PRORES_4444, "vp9": VP9_ALPHA}
CUTOUT_FORMATS = ("png", *ALPHA_FORMATS)
DAMAGED_RULES = ("hold", "stop")
SHOWN_DOUBTS = 5
SECONDS_BETWEEN_STATES = 5.0
"""The most work that can be lost when a job is killed."""


@dataclass(frozen=True)
class TrackSettings:
    """How to segment a video and what to write, besides the network.

    Raises:
        ValueError: If a choice does not exist.
    """

    write: tuple[str, ...] = ("masks", "overlay", "boxes")  # some of KINDS
    cutouts_as: str = "png"  # one of CUTOUT_FORMATS: pictures, or videos with alpha
    start: int | str | None = None  # first frame: its number or a time, see `ranges.frame_range`
    end: int | str | None = None  # last frame, which is included
    backward: bool = False  # from the last frame to the first
    damaged: str = "hold"  # at a frame that cannot be decoded: hold the previous mask, or stop
    colour_masks: str = "auto"  # what RGB masks contain, see `read_labels`
    overwrite: bool = False  # replace what another job wrote into the output folder

    def __post_init__(self) -> None:
        choices = (
            ("write", self.write, KINDS),
            ("cutouts_as", (self.cutouts_as,), CUTOUT_FORMATS),
            ("damaged", (self.damaged,), DAMAGED_RULES),
            ("colour_masks", (self.colour_masks,), COLOUR_RULES),
        )
        for name, chosen, known in choices:
            if unknown := [value for value in chosen if value not in known]:
                raise ValueError(f"{name}={unknown[0]!r}: expected one of {', '.join(known)}")


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    stage: str  # "segmenting", or "writing" what is made from the masks afterwards
    number: int  # of the frame that was just finished
    done: int  # frames of this stage
    total: int | None  # of this stage, if known
    new: int  # frames of this stage done in this run
    seconds: float  # since this run began the stage

    @property
    def frames_per_second(self) -> float:
        """The rate of this run."""
        return self.new / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Until the stage is done, at this rate; None if the length of the video is not known."""
        rate = self.frames_per_second
        return None if self.total is None or not rate else max(0, self.total - self.done) / rate


class JobSegmenter(Segmenter, Protocol):
    """What a job needs from `livos.VideoSegmenter`."""

    def reset(self) -> None: ...

    def restore(self, state: SegmenterState) -> None: ...

    def made_with(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class TrackJob:
    """One video to segment into a folder."""

    found: FoundVideo
    source: FrameSource
    frames: FrameRange
    masks: VideoMasks
    output: Path
    settings: TrackSettings

    @classmethod
    def of(cls, found: FoundVideo, masks: Path, output: Path, settings: TrackSettings) -> TrackJob:
        """Opens a video and its masks.

        Args:
            found: A video from `find_videos`.
            masks: A file or folder, see `masks_of_video`.
            output: The folder to write to.
            settings: How to segment it and what to write.

        Raises:
            ValueError: If the video, masks or frames cannot be used; the message names the file.
            OSError: If a file cannot be read.
        """
        source = found.open()
        frames = frame_range(source, settings.start, settings.end, settings.backward)
        given = masks_of_video(masks, source, frames, settings.colour_masks)
        return cls(found, source, frames, given, output, settings)

    @property
    def num_frames(self) -> int | None:
        """How many frames are expected, if known."""
        first, stop = self.frames.first, self.frames.stop
        if stop is not None:
            return stop - first
        known = self.source.num_frames
        return None if known is None else self.source.first_number + known - first

    def run(self, segmenter: JobSegmenter) -> Generator[Progress, None, None]:
        """Segments the video and writes the requested outputs; yields after each frame.

        Close the iterator, or leave the loop over it, to stop. Masks that are written stay, and the same job continues
        from them when it is run again; files that need the whole video are then made from the masks.

        Raises:
            ValueError: If the folder contains results of another job, or something is wrong with a frame or mask.
            OSError: If a file cannot be read or written.
        """
        self._refuse_overwriting_masks()
        with folder_in_use(self.output, "livos track"):
            clear_leftovers(self.output, below=True)
            yield from self._run(segmenter)

    def _run(self, segmenter: JobSegmenter) -> Iterator[Progress]:
        record = JobRecord(self.output, self._made_with(segmenter))
        mask_dir = self.output / "masks" if "masks" in self.settings.write else record.resume_dir / "masks"
        begun = record.begin(self.settings.overwrite, mask_dir)
        wanted = {self._label(kind): kind for kind in self.settings.write}
        done = set(begun.kinds)
        if not begun.masks_complete and not wanted.keys() <= done:
            at_once = self._kinds_at_once(begun)
            yield from self._segment(segmenter, record, mask_dir, begun, at_once)
            done |= {self._label(kind) for kind in at_once} & wanted.keys()
            record.note_masks(done)
        if later := [kind for label, kind in wanted.items() if label not in done]:
            yield from self._write(mask_dir, later)
        if not wanted.keys() <= begun.kinds:
            doubts = doubtful_runs(mask_dir)
            self._say(doubts)
            record.finish("masks" in self.settings.write, done | wanted.keys(), doubts)

    def _say(self, doubts: list[DoubtfulRun]) -> None:
        for run in doubts[:SHOWN_DOUBTS]:
            logger.info("%s: %s", self.found.name, run)
        if len(doubts) > SHOWN_DOUBTS:
            logger.info("%s: and %d more, see job.json", self.found.name, len(doubts) - SHOWN_DOUBTS)

    def _kinds_at_once(self, begun: Begun) -> list[str]:
        """What to write while segmenting the video: everything, if all frames come in this run and in order of time."""
        whole = not self.settings.backward and not begun.frames_done
        return list(dict.fromkeys(["masks", *self.settings.write])) if whole else ["masks"]

    def _segment(
        self, segmenter: JobSegmenter, record: JobRecord, mask_dir: Path, begun: Begun, kinds: list[str]
    ) -> Iterator[Progress]:
        """Writes the masks, and other kinds of output with them. Saves now and then how to continue."""
        segmenter.reset()
        if begun.state is not None:
            segmenter.restore(begun.state)
            logger.info("%s: continuing after frame %d", self.found.name, begun.last_number)
        inputs = with_given_masks(self._frames_after(begun.last_number), self._masks_after(begun.last_number))
        resumable = not isinstance(self.source, LiveSource)
        stop = self.settings.damaged == "stop"
        results = segment(inputs, segmenter, self.source.size, stop_at_damage=stop, keep_states=resumable)
        keeper = _StateKeeper(record, begun.frames_done)
        outputs, goes_on = self._outputs(kinds, mask_dir), begun.frames_done > 0
        with closing(deliver(results, outputs, may_be_none=goes_on)) as delivered:
            for progress, item in self._counted("segmenting", delivered, begun.frames_done):
                if resumable:
                    keeper.add(item)
                yield progress

    def _write(self, mask_dir: Path, kinds: list[str]) -> Iterator[Progress]:
        """Writes kinds of output that are made from the masks, in order of time."""
        again = replay(self.source.frames(self.frames.first, self.frames.stop), mask_dir, self.masks.coding)
        with closing(deliver(again, self._outputs(kinds, mask_dir))) as delivered:
            for progress, _ in self._counted("writing", delivered, 0):
                yield progress

    def _counted(
        self, stage: str, items: Iterator[SegmentedFrame], done_before: int
    ) -> Iterator[tuple[Progress, SegmentedFrame]]:
        begun = time.monotonic()
        for new, item in enumerate(items, start=1):
            seconds = time.monotonic() - begun
            yield Progress(stage, item.number, done_before + new, self.num_frames, new, seconds), item

    def _frames_after(self, number: int | None) -> Iterator[Frame]:
        first, stop, backward = self.frames.first, self.frames.stop, self.settings.backward
        if number is not None:
            first, stop = (first, number) if backward else (number + 1, stop)
        return self.source.frames(first, stop, backward)

    def _masks_after(self, number: int | None) -> dict[int, Any]:
        if number is None:
            return dict(self.masks.by_number)
        sign = -1 if self.settings.backward else 1
        return {n: mask for n, mask in self.masks.by_number.items() if sign * n > sign * number}

    def _outputs(self, kinds: list[str], mask_dir: Path) -> list[VideoOutput]:
        masks = self.masks
        names = {object_id: masks.object_names.get(object_id, "") for object_id in masks.object_ids}
        to_end = self.frames.last is None
        return make_outputs(
            kinds, self.output, self.source, names, mask_dir, masks.coding, self.settings.cutouts_as, to_end
        )

    def _label(self, kind: str) -> str:
        """The name of a kind of output in the record, which distinguishes formats of cut-outs."""
        return f"cutouts as {self.settings.cutouts_as}" if kind == "cutouts" else kind

    def _made_with(self, segmenter: JobSegmenter) -> dict[str, Any]:
        """Everything that the masks depend on."""
        settings, path = self.settings, self.found.path
        return {
            "video": [self.found.name] if path is None else stamp(path),
            "masks": {str(number): stamp_of_mask(mask) for number, mask in sorted(self.masks.by_number.items())},
            "first_frame": self.frames.first,
            "last_frame": self.frames.last,
            "backward": settings.backward,
            "damaged": settings.damaged,
            "colour_masks": settings.colour_masks,
            **segmenter.made_with(),
        }

    def _refuse_overwriting_masks(self) -> None:
        written = [(self.output / folder).resolve() for folder in ("masks", "cutouts")]
        for mask in self.masks.by_number.values():
            if any(folder in mask.path.resolve().parents for folder in written):
                raise ValueError(f"{mask.path} is a given mask in an output folder: copy it elsewhere")


def make_outputs(
    kinds: Sequence[str],
    output: Path,
    source: FrameSource,
    object_names: Mapping[int, str],
    mask_dir: Path,
    coding: LabelCoding,
    cutouts_as: str = "png",
    to_end: bool = True,
) -> list[VideoOutput]:
    """The outputs that write these kinds of results.

    Args:
        kinds: Some of KINDS.
        output: The folder to write to.
        source: The video.
        object_names: The name of every object that may be visible, by id.
        mask_dir: The folder for masks.
        coding: The coding of masks.
        cutouts_as: One of CUTOUT_FORMATS.
        to_end: Whether the frames, and so the sound, continue to the end of the video.
    """
    ids = list(object_names)
    made: list[VideoOutput] = []
    if "masks" in kinds:
        made.append(MaskFiles(mask_dir, coding))
    if "overlay" in kinds:
        made.append(OverlayVideo(_overlay_writer(output, source, to_end)))
    if "cutouts" in kinds and cutouts_as == "png":
        made.append(CutOutImages(output / "cutouts", ids))
    elif "cutouts" in kinds:
        made.append(CutOutVideos(output / "cutouts", ids, ALPHA_FORMATS[cutouts_as], source))
    if "boxes" in kinds:
        made.append(ObjectReport(output / "objects.json", source, object_names))
    if "coco" in kinds:
        made.append(CocoReport(output / "coco.json", source, object_names))
    return made


def _overlay_writer(output: Path, source: FrameSource, to_end: bool) -> VideoWriter:
    """A writer for an H.264 video with the source's times and sound, in a container that can hold both."""
    suffix, sound_path = ".mp4", source.sound_path
    if sound_path is not None:
        suitable = suffix_for_sound(sound_path)
        if suitable is None:
            logger.warning("%s: its sound cannot be combined with H.264, so the overlay is silent", sound_path)
            sound_path = None
        suffix = suitable or suffix
    return VideoWriter(
        output / f"overlay{suffix}",
        H264,
        source.time_base,
        source.frame_rate,
        sound_path,
        sound_to_end=to_end,
        sample_aspect_ratio=source.sample_aspect_ratio,
    )


class _StateKeeper:
    """Saves what the segmenter remembers every few seconds, once the masks up to that frame are certainly written."""

    def __init__(self, record: JobRecord, frames_done: int):
        self._record, self._frames_done = record, frames_done
        self._waiting: deque[tuple[int, int, SegmenterState]] = deque()  # frames done, number, state
        self._saved_at = time.monotonic()

    def add(self, item: SegmentedFrame) -> None:
        """Call this with each frame after it was passed to the outputs."""
        self._frames_done += 1
        if item.state is not None:
            self._waiting.append((self._frames_done, item.number, item.state))
        if len(self._waiting) <= DEPTH + 1:  # see InBackground: this many may not have been written yet
            return
        oldest = self._waiting.popleft()
        if time.monotonic() - self._saved_at >= SECONDS_BETWEEN_STATES:
            self._record.keep_state(*oldest)
            self._saved_at = time.monotonic()
