"""Segment any video, given masks of the objects on some of its frames.

    python scripts/process_video.py --video clip.mp4 --masks first_frame.png --output out/clip

--video is a video file, a folder or pattern of images ("frames/*.jpg"), a folder or pattern of videos, or the number of
a camera (0; Ctrl-C ends it). --masks is a file or folder of pictures (palette, greyscale, RGB-coded, or transparent
around an object; of several such, <object id>/<frame>.png) or of labelme or COCO files with polygons and boxes. Names
link masks to frames: the frame's own name, or its number (00042.png, frame_42.png; frames count from 0). A single file
with another name belongs to the first frame. Objects may appear later; a mask of a known object corrects it. With
several videos, masks are looked for under the name of each: MASKS/<video>/ or MASKS/<video>.png.

Written to OUTPUT: masks/ (PNG), overlay.mp4 (H.264, at the source's times, with its sound) and objects.json (areas and
boxes); --write chooses, and adds cutouts/ (each object alone, transparent around it) and coco.json (run-length codes).
Memory does not grow with the length of the video.
"""

from __future__ import annotations

import argparse
import logging
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from livos import VideoSegmenter, build_model, load_weights, model_names
from livos.checkpoints import best_short_side
from livos.masks.label_maps import COLOUR_RULES
from livos.pipeline.background import Output
from livos.pipeline.object_reports import CocoReport, ObjectReport
from livos.pipeline.outputs import CutOutImages, CutOutVideos, DrawnVideo, MaskFiles, SegmentedFrame
from livos.pipeline.segment import replay, segment, write_all
from livos.pipeline.video_masks import FrameRange, VideoMasks, masks_of_video
from livos.segmenter.memory_plan import PeakMeter, bytes_in_flight, measure_peak, parse_bytes, plan_memory
from livos.segmenter.segmenter import PRECISIONS
from livos.video.sources import Camera, FoundVideo, FrameSource, find_videos
from livos.video.writer import H264, PRORES_4444, VP9_ALPHA, VideoWriter, suffix_for_sound

logger = logging.getLogger("process_video")

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
DEFAULT_WEIGHTS = {"lite": WEIGHTS / "livos-lite.safetensors", "base": WEIGHTS / "livos-nomose-480p.pth"}
KINDS = ("masks", "overlay", "boxes", "cutouts", "coco")
ALPHA_FORMATS = {"prores": PRORES_4444, "vp9": VP9_ALPHA}


@dataclass(frozen=True)
class Job:
    """One video to be segmented: what is given, and what is wanted."""

    name: str
    source: FrameSource
    frames: FrameRange
    masks: VideoMasks
    output: Path
    options: argparse.Namespace

    @property
    def stop(self) -> int | None:
        """Number after that of the last frame; None: to the end."""
        return None if self.frames.last is None else self.frames.last + 1

    @property
    def num_frames(self) -> int | None:
        """How many frames are expected, if known."""
        return self.source.num_frames if self.stop is None else self.stop - self.frames.first

    def outputs(self, *kinds: str) -> list[Output[SegmentedFrame]]:
        """What writes these kinds of results."""
        masks, source, output = self.masks, self.source, self.output
        names = {object_id: masks.object_names.get(object_id, "") for object_id in masks.object_ids}
        made: list[Output[SegmentedFrame]] = []
        if "masks" in kinds:
            made.append(MaskFiles(output / "masks", masks.coding))
        if "overlay" in kinds:
            made.append(DrawnVideo(self.overlay_writer()))
        if "cutouts" in kinds and self.options.cutouts_as == "png":
            made.append(CutOutImages(output / "cutouts", masks.object_ids))
        elif "cutouts" in kinds:
            alpha_format = ALPHA_FORMATS[self.options.cutouts_as]
            made.append(CutOutVideos(output / "cutouts", masks.object_ids, alpha_format, source))
        if "boxes" in kinds:
            made.append(ObjectReport(output / "objects.json", source, names))
        if "coco" in kinds:
            made.append(CocoReport(output / "coco.json", source, names))
        return made

    def overlay_writer(self) -> VideoWriter:
        """For an H.264 video at the source's times and with its sound, in a container that can hold both."""
        source, suffix = self.source, ".mp4"
        sound_path = source.sound_path
        if sound_path is not None:
            suitable = suffix_for_sound(sound_path)
            if suitable is None:
                logger.warning("%s: its sound cannot be put beside H.264, the overlay is silent", sound_path)
                sound_path = None
            suffix = suitable or suffix
        return VideoWriter(
            self.output / f"overlay{suffix}",
            H264,
            source.time_base,
            source.frame_rate,
            sound_path,
            sound_to_end=self.frames.last is None,
            sample_aspect_ratio=source.sample_aspect_ratio,
        )


def process(
    found: FoundVideo, masks_path: Path, output: Path, segmenter: VideoSegmenter, options: argparse.Namespace
) -> None:
    """Segment one video and write what was asked for. Raises ValueError or OSError, naming the file."""
    source = found.open()
    frames = frame_range(source, options.start, options.end, options.backward)
    job = Job(
        found.name, source, frames, masks_of_video(masks_path, source, frames, options.colour_masks), output, options
    )
    if options.memory_limit is not None:
        segmenter = within_memory(segmenter, job)
    segmenter.reset()
    output.mkdir(parents=True, exist_ok=True)
    with ended_by_interrupt(source), watched_memory(segmenter, options.memory_limit):
        (process_backward if options.backward else process_forward)(job, segmenter)


def process_forward(job: Job, segmenter: VideoSegmenter) -> None:
    write_all(segmented(job, segmenter), job.outputs(*job.options.write), job.num_frames, job.name)


def process_backward(job: Job, segmenter: VideoSegmenter) -> None:
    """Masks from the last frame to the first; then all else from them in order of time, as encoders want it."""
    others = [kind for kind in job.options.write if kind != "masks"]
    with ExitStack() as stack:
        mask_dir = job.output / "masks"
        if "masks" not in job.options.write:
            mask_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=job.output)))
        mask_files = MaskFiles(mask_dir, job.masks.coding)
        write_all(segmented(job, segmenter), [mask_files], job.num_frames, f"{job.name}, backward")
        if others:
            frames = job.source.frames(job.frames.first, job.stop)
            again = replay(frames, mask_dir, job.masks.coding, job.source.size)
            write_all(again, job.outputs(*others), job.num_frames, job.name)


def segmented(job: Job, segmenter: VideoSegmenter) -> Iterator[SegmentedFrame]:
    frames = job.source.frames(job.frames.first, job.stop, job.options.backward)
    return segment(frames, segmenter, job.masks.by_number, job.source.size, job.options.damaged == "stop")


def frame_range(source: FrameSource, start: str | None, end: str | None, backward: bool) -> FrameRange:
    """The frames from `start` to `end`, both included; each a number or a time. Raises ValueError if there are none."""
    first = source.first_number if start is None else moment(source, start)
    last = None if end is None else moment(source, end)
    if end is not None and not end.isdecimal() and last is not None:
        last -= 1  # the frame that is shown until then
    if backward:
        last = source.end() - 1 if last is None else min(last, source.end() - 1)
    beyond = source.num_frames is not None and first >= source.first_number + source.num_frames
    if beyond or (last is not None and last < first):
        known = "" if source.num_frames is None else f" in a video of {source.num_frames}"
        raise ValueError(f"no frames from --start {start or first} to --end {end or 'the last'}{known}")
    return FrameRange(first, last, last if backward and last is not None else first)


def moment(source: FrameSource, text: str) -> int:
    """Number of the frame at `120` (a number), `4.5s`, `1:30` or `1:02:03.5`."""
    if text.isdecimal():
        return int(text)
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?s", text):
        return source.frame_at(float(text[:-1]))
    if re.fullmatch(r"([0-9]+:)?[0-9]{1,2}:[0-9]{2}(\.[0-9]+)?", text):
        return source.frame_at(sum(float(part) * 60**place for place, part in enumerate(reversed(text.split(":")))))
    raise ValueError(f"{text!r}: expected the number of a frame (120) or a time (4.5s, 1:30, 1:02:03.5)")


def within_memory(segmenter: VideoSegmenter, job: Job) -> VideoSegmenter:
    """A segmenter like this one that keeps within the limit."""

    def with_settings(internal_size: int, chunk_size: int | None) -> VideoSegmenter:
        return VideoSegmenter(segmenter.network, segmenter.device, segmenter.precision, internal_size, chunk_size)

    def measure(candidate: VideoSegmenter) -> int:
        return measure_peak(candidate, job.source.size, len(job.masks.object_ids))

    wanted = segmenter.internal_size or min(job.source.size)
    around = bytes_in_flight(segmenter.device, job.source.size, job.options.backward)
    plan = plan_memory(job.options.memory_limit - around, wanted, with_settings, measure)
    objects = "one object at a time" if plan.chunk_size == 1 else "all objects at once"
    logger.info("memory: internal size %d (asked for: %d), %s", plan.internal_size, wanted, objects)
    return with_settings(plan.internal_size, plan.chunk_size)


@contextmanager
def watched_memory(segmenter: VideoSegmenter, limit: int | None) -> Iterator[None]:
    """Says how much memory was used, if there is a limit, and warns if it was more."""
    if limit is None:
        yield
        return
    meter = PeakMeter(segmenter.device)
    yield
    level = logging.WARNING if meter.peak() > limit else logging.INFO
    logger.log(level, "memory: at most %d MiB were in use, the limit is %d", meter.peak() / 2**20, limit / 2**20)


@contextmanager
def ended_by_interrupt(source: FrameSource) -> Iterator[None]:
    """Ctrl-C ends a camera's video instead of throwing it away; a second time, it does."""
    if not isinstance(source, Camera):
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def end(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        source.stop()

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def masks_for(found: FoundVideo, masks: Path, several: bool) -> Path:
    """The masks of one video: everything, or where there are several videos, what bears its name."""
    under_its_name = [path for path in sorted(masks.glob(f"{found.name}*")) if found.name in (path.name, path.stem)]
    if not several and (masks.is_file() or not under_its_name):
        return masks
    if len(under_its_name) != 1:
        names = ", ".join(path.name for path in under_its_name) or "nothing"
        raise ValueError(f"{masks}: expected one file or folder named {found.name}, found {names}")
    return under_its_name[0]


def build_segmenter(options: argparse.Namespace) -> VideoSegmenter:
    """The network with its weights. Raises ValueError or OSError that says how to get them."""
    weights = options.weights or DEFAULT_WEIGHTS.get(options.model)
    if weights is None:
        raise ValueError(f"--model {options.model} has no weights of its own: give --weights")
    network = build_model(options.model)
    load_weights(network, weights)
    size = best_short_side(weights) if options.internal_size is None else options.internal_size or None
    return VideoSegmenter(network, options.device, options.precision, size, options.chunk_size)


def memory(text: str) -> int:
    """Bytes, for argparse."""
    try:
        return parse_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--video", required=True, help="file, folder, pattern in quotes, or number of a camera")
    add("--masks", type=Path, required=True, help="file or folder")
    add("--output", type=Path, required=True, help="folder; of several videos, each gets a folder in it")
    add("--write", nargs="+", choices=KINDS, default=["masks", "overlay", "boxes"], help="(default: %(default)s)")
    add("--cutouts-as", choices=["png", *ALPHA_FORMATS], default="png", help="pictures, or videos with alpha")
    add("--start", help="first frame: its number, or a time like 4.5s or 1:30")
    add("--end", help="last frame, which is included: its number, or the time at which it ends")
    add("--backward", action="store_true", help="segment from the last frame to the first")
    add("--count-from", type=int, default=0, help="number of the first frame, in names of masks and here (default: 0)")
    add("--frame-rate", type=Fraction, default=Fraction(24), help="of images; videos have their own (default: 24)")
    add("--damaged", choices=["hold", "stop"], default="hold", help="keep the mask at damaged frames, or give up")
    add("--colour-masks", choices=COLOUR_RULES, default="auto", help="what RGB masks hold: DAVIS colours, or ids")
    add("--model", choices=model_names(), default="lite", help="(default: lite)")
    add("--weights", type=Path, help="default for lite: weights/livos-lite.safetensors, base: livos-nomose-480p.pth")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")
    add("--precision", choices=list(PRECISIONS), default="float32", help="(default: float32)")
    add("--internal-size", type=int, help="short side for the network, 0: as it is (default: what suits the weights)")
    add("--chunk-size", type=int, help="objects computed at a time (default: all)")
    add("--memory-limit", type=memory, help="4GB, say: lower --chunk-size and --internal-size to keep within it")
    return parser.parse_args(arguments)


def main(
    arguments: list[str] | None = None,
    make_segmenter: Callable[[argparse.Namespace], VideoSegmenter] = build_segmenter,
) -> int:
    """Returns the exit status. One bad video does not lose the others."""
    options = parse_arguments(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        videos = find_videos(options.video, options.frame_rate, options.count_from)
        segmenter = make_segmenter(options)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    status = 0
    for found in videos:
        several = len(videos) > 1
        output = options.output / found.name if several else options.output
        try:
            process(found, masks_for(found, options.masks, several), output, segmenter, options)
            print(output)
        except (ValueError, OSError) as error:
            print(f"{found.name}: {error}", file=sys.stderr)
            status = 1
        except KeyboardInterrupt:
            print(f"{found.name}: stopped; masks that are written stay, other files are not finished", file=sys.stderr)
            return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
