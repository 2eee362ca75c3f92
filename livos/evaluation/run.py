"""Evaluates a test set: checks everything, then segments, writes, scores and reports video after video."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Container, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from livos.build import build_model, model_config
from livos.checkpoints import STANDARD_SHORT_SIDE, best_short_side, load_weights
from livos.config.schema import EvalConfig
from livos.distributed import Process, from_main, gather, shared_out
from livos.evaluation.finished import FinishedVideos
from livos.evaluation.output_folder import OutputFolder
from livos.evaluation.report import EvaluationReport, VideoReport, summarize
from livos.evaluation.scoring import Truth, VideoScores, frames_without_images, joined_scores
from livos.evaluation.sets import open_test_set
from livos.evaluation.submission import write_submission
from livos.evaluation.video import TestVideo
from livos.files.atomic import clear_leftovers
from livos.files.folder_lock import folder_in_use
from livos.files.images import image_size
from livos.loading import find_weights
from livos.pipeline.segment import deliver, replay, segment
from livos.pipeline.speed import StepTimer, peak_memory
from livos.segmenter.memory_shortage import free_memory
from livos.segmenter.segmenter import VideoSegmenter

if TYPE_CHECKING:
    from vos_benchmark import Scorer

log = logging.getLogger(__name__)

UNTRAINED = "untrained"  # instead of a weights file


def evaluate(settings: EvalConfig, process: Process) -> EvaluationReport:
    """Segments the videos of a test set and writes masks, archive and `report.json` to the output folder.

    Returns the report. Raises OSError, ValueError or ImportError before any work if the whole run is impossible. An
    error in one video is logged and reported, and does not stop the others.
    """
    videos = open_test_set(settings, only=settings.videos)
    output = OutputFolder.of(settings)
    output.refuse_overwriting(videos, settings.truth_directory)
    output.prepare()
    with folder_in_use(output.path, "an evaluation") if process.is_main else nullcontext():
        if process.is_main:
            clear_leftovers(output.path, below=True)
        return _evaluate(settings, process, videos, output)


def _evaluate(
    settings: EvalConfig, process: Process, videos: list[TestVideo], output: OutputFolder
) -> EvaluationReport:
    weights = chosen_weights(settings)
    if settings.size is None:
        settings = replace(settings, size=STANDARD_SHORT_SIDE if weights == UNTRAINED else best_short_side(weights))
    truth = Truth(settings) if settings.score else None
    segmenter = make_segmenter(settings, weights, process)
    finished = FinishedVideos(output, settings, weights)
    skipped = from_main(finished.among(videos) if settings.resume and process.is_main else set())
    run = _Run(output, segmenter, finished, truth)
    mine = run.all_of(share(videos, process, skipped), skipped, process)
    parts = gather((mine, run.scorers, peak_memory(segmenter.device)))
    scores, problems = (
        _join([scorer for _, scorers, _ in parts for scorer in scorers], settings) if truth else (None, {})
    )
    report = summarize(
        [report for reports, *_ in parts for report in reports],
        settings,
        segmenter,
        weights,
        peak_memory_bytes=max((peak for *_, peak in parts if peak), default=None),
        scores=scores,
        more_errors=problems,
    )
    if process.is_main:
        if not report.errors and settings.videos is None and settings.archive:
            report = replace(report, archive=str(write_submission(settings, videos, output.path)))
        report.write(output.path / "report.json")
    return report


def chosen_weights(settings: EvalConfig) -> str:
    """The weights file; by default the bundled one, if it matches the network."""
    if settings.weights == UNTRAINED:
        return UNTRAINED
    if settings.weights:
        return str(find_weights(settings.weights).path)
    if settings.model == model_config("lite"):
        return str(find_weights("lite").path)
    raise ValueError(
        "weights=FILE is needed: `livos download` fetches the released weights of model=base; model=lite comes with "
        "its own. weights=untrained runs a network with random weights"
    )


def make_segmenter(settings: EvalConfig, weights: str, process: Process) -> VideoSegmenter:
    """The network with its weights, ready for frames. Raises OSError or ValueError if they are unusable."""
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
        size=settings.size,
        chunk_size=settings.chunk_size,
        flip=settings.flip_aug,
        compile=settings.compile,
        engine=settings.engine,
    )


def share(videos: Sequence[TestVideo], process: Process, skipped: Container[str] = ()) -> list[TestVideo]:
    """This process's share of the videos. Skipped ones may still have to be scored."""
    return shared_out(videos, lambda video: len(video) * (0.1 if video.name in skipped else 1), process)


def _join(scorers: Sequence, settings: EvalConfig) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """Scores over all videos, and problems by name."""
    try:
        return joined_scores(scorers, settings.void_id), {}
    except ValueError as error:  # nothing to score
        return None, {"score": str(error)}


class _Run:
    """Processes the videos of one process."""

    def __init__(
        self, output: OutputFolder, segmenter: VideoSegmenter, finished: FinishedVideos, truth: Truth | None
    ) -> None:
        self._output, self._segmenter, self._finished, self._truth = output, segmenter, finished, truth
        self.scorers: list[Scorer] = []  # of the videos that could be scored

    def all_of(self, videos: Sequence[TestVideo], skipped: Container[str], process: Process) -> list[VideoReport]:
        """Processes every video, whatever happens to the others."""
        if not process.is_main:
            logging.getLogger("livos").setLevel(logging.WARNING)  # warnings from here on concern its own videos
        total = sum(len(video) for video in videos if video.name not in skipped)
        refresh = 0.1 if sys.stderr.isatty() else 10  # seconds; few lines in a log file
        bar = tqdm(total=total, unit="frame", disable=not process.is_main, mininterval=refresh)
        with bar, logging_redirect_tqdm():
            return [self._skip(v) if v.name in skipped else self._segment(v, bar) for v in videos]

    def _skip(self, video: TestVideo) -> VideoReport:
        """Scores the existing masks, if requested."""
        problem = None
        if self._truth:
            scores = self._truth.scores(video)
            written = replay(frames_without_images(video), self._output.masks_of(video), video.coding)
            try:
                for _ in deliver(written, [scores]):
                    pass
            except (ValueError, OSError) as error:
                scores.problem = str(error)
            problem = self._take(scores)
        return VideoReport(video.name, len(video), skipped=True, error=problem)

    def _segment(self, video: TestVideo, bar: tqdm) -> VideoReport:
        bar.set_description(video.name)
        done_before, begun = bar.n, time.perf_counter()
        timer = StepTimer(self._segmenter.device)
        try:
            self._finished.forget(video)
            unscored = self._write_all_of(video, timer, bar)
            self._finished.note(video)
        except (ValueError, OSError) as error:
            problem = str(error)
        else:
            seconds = time.perf_counter() - begun
            network_seconds = timer.seconds()
            return VideoReport(video.name, len(video), error=unscored, network_seconds=network_seconds, seconds=seconds)
        log.error("%s failed and is skipped: %s", video.name, problem)
        free_memory(self._segmenter)  # only now, as the error kept the tensors alive
        bar.update(done_before + len(video) - bar.n)
        return VideoReport(video.name, len(video), error=problem)

    def _write_all_of(self, video: TestVideo, timer: StepTimer, bar: tqdm) -> str | None:
        """Segments one video. Returns why it could not be scored, if scores were requested."""
        if problems := video.problems():
            raise ValueError("; ".join(problems))
        outputs = self._output.outputs_of(video)
        scores = self._truth.scores(video) if self._truth else None
        self._segmenter.reset()
        size, keep = image_size(video.frame_paths[0]), "Scores" in self._output.kinds
        results = segment(video, self._segmenter, size, keep_probabilities=keep, timer=timer)
        for _ in deliver(results, [*outputs, scores] if scores else outputs):
            bar.update()
        return self._take(scores) if scores else None

    def _take(self, scores: VideoScores) -> str | None:
        """Keeps the scores of a video, or returns why there are none."""
        if scores.problem is not None:
            return f"segmented, but not scored: {scores.problem}"
        self.scorers.append(scores.scorer)
        return None
