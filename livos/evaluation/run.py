"""A test set, start to end: check everything, then segment, write, score and report video after video."""

import logging
import sys
import time
from collections.abc import Container, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from livos.build import build_model, model_config
from livos.checkpoints import STANDARD_SHORT_SIDE, best_short_side, load_weights
from livos.config.schema import EvalConfig
from livos.distributed import Process, from_main, gather
from livos.evaluation.finished import FinishedVideos
from livos.evaluation.output_folder import OutputFolder
from livos.evaluation.report import VideoReport, summarize, write_report
from livos.evaluation.scoring import Scoring, joined_scores
from livos.evaluation.sets import open_test_set
from livos.evaluation.speed import StepTimer, peak_memory
from livos.evaluation.submission import write_submission
from livos.evaluation.video import Frame, TestVideo
from livos.files.atomic import clear_leftovers
from livos.files.folder_lock import folder_in_use
from livos.pipeline.mask_writer import MaskWriter
from livos.pipeline.prefetch import prefetch
from livos.segmenter.memory_shortage import free_memory, is_out_of_memory, saving_advice
from livos.segmenter.segmenter import SegmentationResult, VideoSegmenter

log = logging.getLogger(__name__)

UNTRAINED = "untrained"  # in place of a file of weights


def evaluate(settings: EvalConfig, process: Process) -> dict[str, Any]:
    """Segments the videos of a test set and writes masks, archive and `report.json` to the output folder.

    Returns the report. Raises OSError, ValueError or ImportError before any work for what makes the whole run
    impossible; an error of one video is logged, stands in the report, and does not keep the others from being done.
    """
    videos = open_test_set(settings, only=settings.videos)
    output = OutputFolder.of(settings)
    output.refuse_overwriting(videos, settings.truth_directory)
    output.prepare()
    with folder_in_use(output.path, "an evaluation") if process.is_main else nullcontext():
        if process.is_main:
            clear_leftovers(output.path, below=True)
        return _evaluate(settings, process, videos, output)


def _evaluate(settings: EvalConfig, process: Process, videos: list[TestVideo], output: OutputFolder) -> dict[str, Any]:
    weights = chosen_weights(settings)
    if settings.size is None:
        settings = replace(settings, size=STANDARD_SHORT_SIDE if weights == UNTRAINED else best_short_side(weights))
    with ExitStack() as stack:
        scoring = stack.enter_context(Scoring(settings, output)) if settings.score else None
        segmenter = make_segmenter(settings, weights, process)
        finished = FinishedVideos(output, settings, weights)
        skipped = from_main(finished.among(videos) if settings.resume else set())
        run = _Run(output, segmenter, finished, scoring)
        reports = run.all_of(share(videos, process, skipped), skipped, process)
        scorer, unscored = scoring.results() if scoring else (None, {})
    reports = [replace(report, error=unscored.get(report.name, report.error)) for report in reports]
    parts = gather((reports, scorer, peak_memory(segmenter.device)))
    report = summarize([r for part, *_ in parts for r in part], settings, segmenter, weights)
    report["peak_memory_bytes"] = max((peak for *_, peak in parts if peak), default=None)
    if settings.score:
        _add_scores(report, [scorer for _, scorer, _ in parts])
    if process.is_main:
        write_report(report, output)
        if not report["errors"] and settings.videos is None and settings.archive:
            report["archive"] = write_submission(settings, videos, output.path)
    return report


def chosen_weights(settings: EvalConfig) -> str:
    """The file of weights; by default the one in the repository, if the network is the one that it is for."""
    if settings.weights:
        return settings.weights
    if settings.model == model_config("lite"):
        bundled = Path(settings.repository_dir) / "weights" / "livos-lite.safetensors"
        return str(bundled) if bundled.is_file() else UNTRAINED
    raise ValueError(
        "weights=FILE is needed: `python download.py` fetches the released weights of model=base; model=lite has its "
        "own in the repository. weights=untrained runs a network with random weights"
    )


def make_segmenter(settings: EvalConfig, weights: str, process: Process) -> VideoSegmenter:
    """The network with its weights, ready for frames. Raises OSError or ValueError where they are none or misfit."""
    network = build_model(settings.model, seed=0)
    if weights == UNTRAINED:
        log.warning("\n%s\nUNTRAINED NETWORK: its weights are random, so its masks mean nothing.\n%s", *2 * ["!" * 80])
    else:
        load_weights(network, weights)
    half = "float16" if process.device.type == "cuda" else "bfloat16"
    return VideoSegmenter(
        network,
        device=process.device,
        precision=half if settings.amp and settings.precision == "float32" else settings.precision,
        internal_size=_limit("size", settings.size),
        chunk_size=_limit("chunk_size", settings.chunk_size),
        flip=settings.flip_aug,
        compile=settings.compile,
    )


def share(videos: Sequence[TestVideo], process: Process, skipped: Container[str] = ()) -> list[TestVideo]:
    """This process's part of the videos: the longest first, each to whoever has least to do so far."""

    def work(video: TestVideo) -> float:
        return len(video) * (0.1 if video.name in skipped else 1)  # scoring, perhaps

    loads, mine = [0.0] * process.world_size, set()
    for video in sorted(videos, key=work, reverse=True):
        rank = loads.index(min(loads))
        loads[rank] += work(video)
        if rank == process.rank:
            mine.add(video.name)
    return [video for video in videos if video.name in mine]


def _add_scores(report: dict[str, Any], scorers: Sequence) -> None:
    try:
        report["scores"] = joined_scores(scorers)
    except ValueError as error:  # nothing to score
        report["errors"]["score"] = str(error)


def _limit(key: str, value: int | None) -> int | None:
    """-1, for no limit, as None."""
    if value is not None and value < 1 and value != -1:
        raise ValueError(f"{key}={value}: expected a positive number, or -1 for no limit")
    return None if value == -1 else value


class _Run:
    """Goes through the videos of one process."""

    def __init__(
        self, output: OutputFolder, segmenter: VideoSegmenter, finished: FinishedVideos, scoring: Scoring | None
    ) -> None:
        self._output, self._segmenter, self._finished, self._scoring = output, segmenter, finished, scoring

    def all_of(self, videos: Sequence[TestVideo], skipped: Container[str], process: Process) -> list[VideoReport]:
        """Every video, whatever happens to the others."""
        if not process.is_main:
            logging.getLogger("livos").setLevel(logging.WARNING)  # what is told from here on is about its own videos
        total = sum(len(video) for video in videos if video.name not in skipped)
        refresh = 0.1 if sys.stderr.isatty() else 10  # seconds; a log file wants few lines
        bar = tqdm(total=total, unit="frame", disable=not process.is_main, mininterval=refresh)
        with bar, logging_redirect_tqdm():
            return [self._skip(v) if v.name in skipped else self._segment(v, bar) for v in videos]

    def _skip(self, video: TestVideo) -> VideoReport:
        if self._scoring:
            self._scoring.add(video)
        return VideoReport(video.name, len(video), skipped=True)

    def _segment(self, video: TestVideo, bar: tqdm) -> VideoReport:
        bar.set_description(video.name)
        done_before, begun = bar.n, time.perf_counter()
        timer = StepTimer(self._segmenter.device)
        try:
            self._finished.forget(video)
            self._write_masks(video, timer, bar)
            self._finished.note(video)
        except (ValueError, OSError) as error:
            problem = str(error)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            problem = f"{saving_advice(self._segmenter)} ({str(error).splitlines()[0]})"
        else:
            if self._scoring:
                self._scoring.add(video)
            seconds = time.perf_counter() - begun
            return VideoReport(video.name, len(video), network_seconds=timer.seconds(), seconds=seconds)
        log.error("%s failed and is left out: %s", video.name, problem)
        free_memory(self._segmenter)  # only now, as the error held on to what was being computed
        bar.update(done_before + len(video) - bar.n)
        return VideoReport(video.name, len(video), error=problem)

    def _write_masks(self, video: TestVideo, timer: StepTimer, bar: tqdm) -> None:
        """Segments one video; reading and writing go on in threads meanwhile."""
        self._segmenter.reset()
        writer = None
        with ExitStack() as stack:
            for number, frame in enumerate(stack.enter_context(closing(prefetch(video))), start=1):
                if writer is None:  # now that the first frame is there, the video can be read
                    masks = MaskWriter(self._output.masks_of(video), video.coding, max_pending=4)
                    writer = stack.enter_context(masks)
                with timer.step():
                    result = self._segmenter.step(frame.image, frame.labels, last=number == len(video))
                if frame.save:
                    writer.write(frame.name, partial(self._labels, video, frame, result))
                bar.update()

    def _labels(self, video: TestVideo, frame: Frame, result: SegmentationResult) -> npt.NDArray:
        """What is to be written as a frame's mask, after all else is; called in a writer's thread."""
        self._output.write_extras(video, frame, result)
        return result.labels
