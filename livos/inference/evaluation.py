"""A test set, start to end: check everything, then segment, write, score and report video after video."""

import json
import logging
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
from tqdm import tqdm

from livos.atomic_files import written_aside
from livos.build import build_model, model_config
from livos.checkpoints import load_weights
from livos.config.schema import EvalConfig
from livos.dataset.label_maps import read_labels
from livos.dataset.test_sets import locate, open_test_set
from livos.dataset.test_video import Frame, TestVideo, files_by_stem
from livos.distributed import Process, gather
from livos.inference.overlay import overlay
from livos.inference.prefetch import prefetch
from livos.inference.scores import write_scores
from livos.inference.segmenter import SegmentationResult, VideoSegmenter
from livos.inference.speed import StepTimer, peak_memory
from livos.inference.submission import write_submission
from livos.inference.writers import MaskWriter, missing_masks

log = logging.getLogger(__name__)

UNTRAINED = "untrained"  # in place of a file of weights


@dataclass(frozen=True)
class VideoReport:
    """What became of one video."""

    name: str
    frames: int
    skipped: bool = False  # it was complete already
    error: str | None = None
    network_seconds: float = 0.0
    seconds: float = 0.0  # reading and writing included


def evaluate(settings: EvalConfig, process: Process) -> dict[str, Any]:
    """Segments the videos of a test set and writes masks, archive and `report.json` to the output folder.

    Returns the report. Raises FileNotFoundError or ValueError before any work for what makes the whole run impossible;
    an error of one video is logged, stands in the report, and does not keep the others from being done.
    """
    output = Path(settings.output_dir or Path("results") / settings.dataset_name)
    videos = open_test_set(settings, only=settings.videos)
    segmenter = make_segmenter(settings, process)
    evaluation = _Evaluation(settings, output, segmenter, process)
    all_reports = gather(evaluation.run(share(videos, process)))
    scored = gather(evaluation.scorer)
    report = summarize([r for part in all_reports for r in part], segmenter, settings)
    if process.is_main:
        if settings.score:
            report["scores"] = _merged_scores(scored)
        if not report["errors"] and settings.videos is None:
            archive = write_submission(settings, videos, output)
            report["archive"] = str(archive) if archive else None
        write_json(output / "report.json", report)
    return report


def make_segmenter(settings: EvalConfig, process: Process) -> VideoSegmenter:
    """The network with its weights, ready for frames."""
    network = build_model(settings.model, seed=0)
    weights = settings.weights or default_weights(settings)
    if weights == UNTRAINED:
        log.warning("\n%s\nUNTRAINED NETWORK: its weights are random, so its masks mean nothing.\n%s", *2 * ["!" * 80])
    else:
        load_weights(network, weights)
    if settings.compile:
        network.compile_parts()
    half = "float16" if process.device.type == "cuda" else "bfloat16"
    return VideoSegmenter(
        network,
        device=process.device,
        precision=half if settings.amp and settings.precision == "float32" else settings.precision,
        internal_size=settings.size if settings.size > 0 else None,
        chunk_size=settings.chunk_size if settings.chunk_size > 0 else None,
        flip=settings.flip_aug,
    )


def default_weights(settings: EvalConfig) -> str:
    """The weights that come with the repository, if the network is the one that they are for."""
    bundled = Path(settings.repository_dir) / "weights" / "livos-lite.safetensors"
    if settings.model == model_config("lite"):
        return str(bundled) if bundled.is_file() else UNTRAINED
    raise ValueError(
        "weights=FILE is needed: `python download.py` fetches the released weights of model=base; model=lite has its own "
        "in the repository. weights=untrained runs a network with random weights"
    )


def share(videos: Sequence[TestVideo], process: Process) -> list[TestVideo]:
    """This process's part of the videos: the longest first, each to whoever has least to do so far."""
    loads, mine = [0] * process.world_size, set()
    for video in sorted(videos, key=len, reverse=True):
        rank = loads.index(min(loads))
        loads[rank] += len(video)
        if rank == process.rank:
            mine.add(video.name)
    return [video for video in videos if video.name in mine]


def summarize(reports: list[VideoReport], segmenter: VideoSegmenter, settings: EvalConfig) -> dict[str, Any]:
    """The whole run in numbers. Rates are of one process."""
    done = [r for r in reports if not r.skipped and r.error is None]
    frames = sum(r.frames for r in done)
    network, total = sum(r.network_seconds for r in done), sum(r.seconds for r in done)
    return {
        "dataset": settings.dataset_name,
        "weights": settings.weights,
        "device": str(segmenter.device),
        "precision": segmenter.precision,
        "videos": len(reports),
        "skipped": [r.name for r in reports if r.skipped],
        "errors": {r.name: r.error for r in reports if r.error is not None},
        "frames": frames,
        "network_frames_per_second": frames / network if network else None,
        "frames_per_second": frames / total if total else None,
        "peak_memory_bytes": peak_memory(segmenter.device),
        "per_video": [asdict(r) for r in reports],
    }


def write_json(path: Path, content: Any) -> None:
    """A readable JSON file, complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as aside:
        aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


class _Evaluation:
    """Goes through the videos of one process."""

    def __init__(self, settings: EvalConfig, output: Path, segmenter: VideoSegmenter, process: Process):
        self.settings, self.output, self.segmenter, self.process = settings, output, segmenter, process
        self.scorer = _make_scorer(settings)
        self.truth_dir = locate(settings.truth_directory) if settings.truth_directory and settings.score else None

    def run(self, videos: Sequence[TestVideo]) -> list[VideoReport]:
        """Every video, whatever happens to the others."""
        may_skip = self.settings.resume and _same_settings(self.output, self.settings, self.process)
        refresh = 0.1 if sys.stderr.isatty() else 10  # seconds; a log file wants few lines
        self.bar = tqdm(total=sum(map(len, videos)), unit="frame", disable=not self.process.is_main, mininterval=refresh)
        with self.bar:
            return [self._run_one(video, may_skip) for video in videos]

    def _run_one(self, video: TestVideo, may_skip: bool) -> VideoReport:
        self.bar.set_description(video.name)
        if may_skip and self._is_complete(video):
            self.bar.update(len(video))
            return VideoReport(video.name, len(video), skipped=True)
        done_before, begun = self.bar.n, time.perf_counter()
        timer = StepTimer(self.segmenter.device)
        try:
            self._segment(video, timer)
        except (ValueError, OSError) as error:
            log.error("%s failed and is left out: %s", video.name, error)
            self.bar.update(done_before + len(video) - self.bar.n)
            return VideoReport(video.name, len(video), error=str(error))
        return VideoReport(
            video.name, len(video), network_seconds=timer.seconds(), seconds=time.perf_counter() - begun
        )

    def _is_complete(self, video: TestVideo) -> bool:
        if video.problems() or self.settings.score:  # scoring needs the frames
            return False
        folders = {"Annotations": ".png"}
        if self.settings.save_scores:
            folders["Scores"] = ".npz"
        if self.settings.visualize:
            folders["Overlays"] = ".jpg"
        return all(
            (self.output / folder / video.name / f"{name}{suffix}").is_file()
            for folder, suffix in folders.items()
            for name in video.saved_names
        )

    def _segment(self, video: TestVideo, timer: StepTimer) -> None:
        """Segments one video; reading and writing go on in threads meanwhile."""
        self.segmenter.reset()
        last = video.frame_names[-1] if video.frame_names else None
        with ExitStack() as stack:
            writer = None
            for frame in prefetch(video):
                if writer is None:  # the first frame is there, so the video can be read
                    writer = stack.enter_context(
                        MaskWriter(self.output / "Annotations" / video.name, video.coding, max_pending=4)
                    )
                with timer.step():
                    result = self.segmenter.step(frame.image, frame.labels, last=frame.name == last)
                if frame.save:
                    writer.write(frame.name, lambda result=result: result.labels)
                    self._write_extras(video, frame, result)
                if self.scorer is not None:
                    self._score(video, frame, result)
                self.bar.update()

    def _write_extras(self, video: TestVideo, frame: Frame, result: SegmentationResult) -> None:
        if self.settings.save_scores:
            path = self.output / "Scores" / video.name / f"{frame.name}.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_scores(path, result.probabilities, result.object_ids)
        if self.settings.visualize:
            path = self.output / "Overlays" / video.name / f"{frame.name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = cv2.cvtColor(overlay(frame.image, result.labels), cv2.COLOR_RGB2BGR)
            with written_aside(path) as aside:
                if not cv2.imwrite(str(aside), picture):
                    raise OSError(f"{path} could not be written")

    def _score(self, video: TestVideo, frame: Frame, result: SegmentationResult) -> None:
        assert self.truth_dir is not None
        truth, _ = files_by_stem(self.truth_dir / video.name, (".png",))
        if frame.name in truth:
            labels = read_labels(truth[frame.name], void_id=self.settings.void_id).labels
            self.scorer.add(video.name, frame.name, labels, result.labels)


def _make_scorer(settings: EvalConfig):
    """A scorer if one is wanted. Raises ValueError or ImportError, saying what is missing."""
    if not settings.score:
        return None
    if not settings.truth_directory or locate(settings.truth_directory) is None:
        raise ValueError(
            f"score=true: dataset={settings.dataset_name} has no truth at truth_directory={settings.truth_directory}"
        )
    try:
        from vos_benchmark import Scorer
    except ImportError as error:
        raise ImportError("score=true needs the scoring package: pip install ./vos-benchmark") from error
    return Scorer()


def _merged_scores(scorers: list) -> dict[str, float]:
    first, *rest = scorers
    for scorer in rest:
        first.merge(scorer)
    return first.result()


def _stamp(path: Path) -> tuple[int, int]:
    """Tells a file from another one of the same name: bytes, and the second of its last change."""
    return path.stat().st_size, int(path.stat().st_mtime)


def _same_settings(output: Path, settings: EvalConfig, process: Process) -> bool:
    """Whether the masks in the output folder were made with these settings; notes them for the next run."""
    path = output / "settings.json"
    name = settings.weights or default_weights(settings)
    now = {
        key: value
        for key, value in asdict(settings).items()
        if key not in ("videos", "device", "resume", "score", "visualize", "save_scores", "output_dir", "data_root")
    }
    now["weights"] = name if name == UNTRAINED else [Path(name).name, *_stamp(Path(name))]
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    changed = [] if before is None else [key for key in now if before.get(key) != now[key]]
    if changed:
        log.warning("%s was made with other settings (%s): every video is done again", output, ", ".join(changed))
    gather(None)  # every process has read before the first one writes
    if process.is_main:
        write_json(path, now)
    return not changed
