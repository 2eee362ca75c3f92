"""Segment your own videos, from the masks of some objects on some frames, within a fixed amount of memory.

    livos track --video video.mp4 --masks mask.png --output results/video
    livos track --video frames/ --masks masks/ --output results/clip --write masks cutouts coco
    livos track --video 'clips/*.mp4' --masks masks/ --output results --start 10s --end 1:30 --backward
    torchrun --nproc_per_node=4 -m livos track --video 'clips/*.mp4' --masks masks/ --output results
    livos track --project video.livos       (its own options: livos track --project video.livos --help)

A video is a file, a folder of images, a pattern in quotes, the number of a camera, or an address (Ctrl-C ends it).
Masks are images (docs/masks.md says what they may look like), JSON files of labelme or COCO, or cut-outs in folders
named by object id. A mask belongs to the frame that its name gives (00042.png), a single file to the first frame.
Objects may appear later; a mask of a known object corrects it. If there are several videos, the masks of each are those
under its name: MASKS/<video>/ or MASKS/<video>.png.

OUTPUT gets masks/ (PNG), overlay.mp4 (H.264, with the source's timing and sound) and objects.json (areas and boxes);
--write chooses, and adds cutouts/ (each object on a transparent background) and coco.json (run-length codes). Memory
does not grow with the length of the video. When the same command is run again, an interrupted run continues where it
stopped; finished videos are left alone. Several processes (torchrun) share the videos.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from livos import VideoSegmenter, load_model, model_names, weight_names
from livos.allocation import reuse_freed_memory
from livos.commands import track_project
from livos.distributed import Process, gather, joined_processes, shared_out
from livos.engines.choice import ENGINES
from livos.interruptions import Interrupted, raising_interrupted
from livos.loading import default_weights
from livos.masks.label_maps import COLOUR_RULES
from livos.pipeline.job import CUTOUT_FORMATS, DAMAGED_RULES, KINDS, TrackJob, TrackSettings
from livos.pipeline.memory_plan import parse_bytes, watched_memory, within_memory
from livos.segmenter.memory_shortage import free_memory
from livos.segmenter.segmenter import PRECISIONS
from livos.video.camera import LiveSource
from livos.video.sources import FoundVideo, FrameSource, find_videos

logger = logging.getLogger(__name__)

PATIENCE = timedelta(days=30)  # how long one process waits for the others: videos may be long


def main(
    arguments: list[str] | None = None,
    make_segmenter: Callable[[argparse.Namespace, Process], VideoSegmenter] | None = None,
) -> int:
    """Returns the exit status: 1 if a video failed, which does not stop the others; 2 if nothing was possible."""
    if any(word.partition("=")[0] == "--project" for word in (sys.argv[1:] if arguments is None else arguments)):
        return track_project.main(arguments)
    options = parse_arguments(arguments)
    reuse_freed_memory()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        with raising_interrupted(), joined_processes(options.device, PATIENCE) as process, logging_redirect_tqdm():
            settings = settings_of(options)
            videos = find_videos(options.video, options.frame_rate, options.count_from)
            segmenter = (make_segmenter or build_segmenter)(options, process)
            failed = track_all(videos, segmenter, settings, options, process)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt as interruption:
        print(f"{interruption or 'interrupted'}; the same command continues where it stopped", file=sys.stderr)
        return interruption.status if isinstance(interruption, Interrupted) else 128 + signal.SIGINT
    return 1 if failed else 0


def track_all(
    videos: list[FoundVideo],
    segmenter: VideoSegmenter,
    settings: TrackSettings,
    options: argparse.Namespace,
    process: Process,
) -> dict[str, str]:
    """Segments this process's share of the videos. Returns what went wrong, by video, in all processes."""
    failed: dict[str, str] = {}
    several = len(videos) > 1
    for found in shared_out(videos, size_on_disk, process):
        output = options.output / found.name if several else options.output
        try:
            job = TrackJob.of(found, masks_for(found, options.masks, several), output, settings)
            run_job(job, segmenter, options.memory_limit)
            print(output)
        except (ValueError, OSError) as error:
            print(f"{found.name}: {error}", file=sys.stderr)
            failed[found.name] = str(error)
            free_memory(segmenter)
    everywhere = {name: problem for part in gather(failed) for name, problem in part.items()}
    if process.is_main and several:
        print(f"{len(videos) - len(everywhere)} of {len(videos)} videos segmented", file=sys.stderr)
        for name in everywhere:
            print(f"  FAILED {name}", file=sys.stderr)
    return everywhere


def run_job(job: TrackJob, segmenter: VideoSegmenter, memory_limit: int | None) -> None:
    """Runs a job to its end, within the limit if there is one, and shows its progress."""
    if memory_limit is not None:
        num_objects, backward = len(job.masks.object_ids), job.settings.backward
        segmenter = within_memory(segmenter, memory_limit, job.source.size, num_objects, backward)
    bar: tqdm | None = None
    stage = ""
    with ended_by_interrupt(job.source), watched_memory(segmenter, memory_limit), closing(job.run(segmenter)) as run:
        try:
            for progress in run:
                if progress.stage != stage:
                    if bar is not None:
                        bar.close()
                    stage, before = progress.stage, progress.done - progress.new
                    bar = tqdm(total=progress.total, initial=before, unit="frame", desc=f"{job.found.name}, {stage}")
                assert bar is not None
                bar.update()
        finally:
            if bar is not None:
                bar.close()
    if not stage:
        logger.info("%s: was already finished", job.found.name)


@contextmanager
def ended_by_interrupt(source: FrameSource) -> Iterator[None]:
    """Makes Ctrl-C end a camera's video instead of discarding it; a second Ctrl-C interrupts the program."""
    if not isinstance(source, LiveSource):
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
    """The masks of one video: everything, or if there are several videos, those under its name."""
    under_its_name = [path for path in sorted(masks.glob("*")) if found.name in (path.name, path.stem)]
    if not several and (masks.is_file() or not under_its_name):
        return masks
    if len(under_its_name) != 1:
        names = ", ".join(path.name for path in under_its_name) or "nothing"
        raise ValueError(f"{masks}: expected one file or folder named {found.name}, found {names}")
    return under_its_name[0]


def size_on_disk(found: FoundVideo) -> float:
    """A rough measure of the work that a video takes, for dividing videos among processes."""
    if found.path is None:
        return 0.0
    files = [found.path] if found.path.is_file() else [path for path in found.path.iterdir() if path.is_file()]
    return float(sum(path.stat().st_size for path in files))


def build_segmenter(options: argparse.Namespace, process: Process) -> VideoSegmenter:
    """The network with its weights. Raises ValueError or OSError, saying how to get them."""
    weights = options.weights or default_weights(options.model or "lite")
    if weights is None:
        raise ValueError(f"--model {options.model} has no default weights: use --weights")
    network = load_model(weights, options.model)
    return VideoSegmenter(
        network,
        process.device,
        options.precision,
        options.size,
        options.chunk_size,
        options.flip,
        engine=options.engine,
    )


def settings_of(options: argparse.Namespace) -> TrackSettings:
    """What the options say about each video."""
    return TrackSettings(
        write=tuple(options.write),
        cutouts_as=options.cutouts_as,
        start=options.start,
        end=options.end,
        backward=options.backward,
        damaged=options.damaged,
        colour_masks=options.colour_masks,
        overwrite=options.overwrite,
    )


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line; ends the program with a message if it makes no sense."""
    parser = argparse.ArgumentParser(
        prog="livos track", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--video", required=True, help="file, folder, pattern in quotes, or number of a camera")
    add("--masks", type=Path, required=True, help="file or folder")
    add("--output", type=Path, required=True, help="folder; with several videos, each gets a folder inside")
    add(
        "--write",
        nargs="+",
        choices=KINDS,
        default=["masks", "overlay", "boxes"],
        help="(default: masks overlay boxes)",
    )
    add("--cutouts-as", choices=CUTOUT_FORMATS, default="png", help="pictures, or videos with alpha")
    add("--overwrite", action="store_true", help="replace the results of another job in OUTPUT")
    add("--start", help="first frame: its number, or a time such as 4.5s or 1:30")
    add("--end", help="last frame, which is included: its number, or the time at which it ends")
    add("--backward", action="store_true", help="segment from the last frame to the first")
    add("--count-from", type=int, default=0, help="number of the first frame, in names of masks and here (default: 0)")
    add("--frame-rate", type=rate, default=Fraction(24), help="for images; videos have their own (default: 24)")
    add("--damaged", choices=DAMAGED_RULES, default="hold", help="at damaged frames, keep the mask or give up")
    add("--colour-masks", choices=COLOUR_RULES, default="auto", help="what RGB masks contain: DAVIS colours, or ids")
    add("--model", choices=model_names(), help="the network (default: the one that matches the weights)")
    add("--weights", help=f"{', '.join(weight_names())}, or a file (default: lite; with --model base: nomose-480p)")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")
    add("--precision", choices=list(PRECISIONS), default="float32", help="(default: float32)")
    add("--engine", choices=ENGINES, default="torch", help="what runs the network (default: torch)")
    size_help = "short side in pixels for the network; -1: that of the frames (default: what suits the weights)"
    add("--size", "--internal-size", type=limit, metavar="PIXELS", help=size_help)
    add("--chunk-size", type=limit, metavar="OBJECTS", help="objects processed at a time; -1: all (default: all)")
    add("--flip", action="store_true", help="average with the mirrored frame: better masks in twice the time")
    add("--memory-limit", type=memory, help="such as 4GB: lower --chunk-size and --size to stay within it")
    return parser.parse_args(arguments)


def limit(text: str) -> int:
    """A positive number, or -1 for no limit (0 also works)."""
    number = int(text) if text.lstrip("-").isdecimal() else None
    if number is None or number < -1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a positive number, or -1 for no limit")
    return number or -1


def rate(text: str) -> Fraction:
    """Frames per second, such as 24, 29.97 or 30000/1001."""
    try:
        number = Fraction(text)
    except (ValueError, ZeroDivisionError):
        number = Fraction(0)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text!r}: expected frames per second above 0, such as 24 or 30000/1001")
    return number


def memory(text: str) -> int:
    """Bytes of 4GB or 500MB."""
    try:
        return parse_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
