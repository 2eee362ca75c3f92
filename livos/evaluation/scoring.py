"""J&F of an evaluation's masks, computed in a thread while the next video is segmented."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from livos.config.schema import EvalConfig
from livos.evaluation.output_folder import OutputFolder
from livos.evaluation.sets import locate
from livos.evaluation.video import TestVideo
from livos.files.names import files_by_stem, some_of
from livos.masks.label_maps import read_labels

if TYPE_CHECKING:
    from vos_benchmark import Scorer


class Scoring:
    """Scores videos whose masks are written; a context manager.

    Raises ValueError or ImportError, saying what is missing, before anything is done.
    """

    def __init__(self, settings: EvalConfig, output: OutputFolder) -> None:
        self._scorer = new_scorer()
        truth = locate(settings.truth_directory) if settings.truth_directory else None
        if truth is None:
            place = f"truth_directory={settings.truth_directory}"
            raise ValueError(f"score=true: dataset={settings.dataset_name} has no truth at {place}")
        self._truth, self._output, self._void_id = truth, output, settings.void_id
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scoring")
        self._videos: dict[str, Future[Scorer]] = {}
        self._stopped = False

    def add(self, video: TestVideo) -> None:
        """Has a video scored."""
        self._videos[video.name] = self._thread.submit(self._score, video)

    def results(self) -> "tuple[Scorer, dict[str, str]]":
        """The scores so far, and why videos could not be scored, by name. Waits for the thread."""
        errors = {}
        for name, score in self._videos.items():
            try:
                self._scorer.merge(score.result())
            except (ValueError, OSError) as error:
                errors[name] = f"segmented, but not scored: {error}"
        self._videos.clear()
        return self._scorer, errors

    def __enter__(self) -> "Scoring":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped = True
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _score(self, video: TestVideo) -> "Scorer":
        """Scores the masks as they were written. Raises ValueError or OSError, naming the file."""
        masks, coding = self._output.masks_of(video), video.coding
        scorer = new_scorer()
        for name, path in self._truth_of(video).items():
            if self._stopped:
                raise InterruptedError(f"{video.name}: interrupted while it was scored")
            truth = read_labels(path, void_id=self._void_id).labels
            prediction = read_labels(masks / f"{name}.png", coding=coding).labels
            if truth.shape != prediction.shape:
                (height, width), (true_height, true_width) = prediction.shape, truth.shape
                raise ValueError(f"{path}: {true_width} x {true_height} pixels, expected {width} x {height}")
            scorer.add(video.name, name, truth, prediction)
        return scorer

    def _truth_of(self, video: TestVideo) -> dict[str, Path]:
        folder = self._truth / video.name
        files, faults = files_by_stem(folder, (".png",))
        if not files:
            faults.append(f"{folder}: no true masks in it")
        if without_mask := [name for name in files if name not in set(video.saved_names)]:
            faults.append(f"{folder}: true masks of frames that were not written: {some_of(without_mask)}")
        if faults:
            raise ValueError("; ".join(faults))
        return files


def new_scorer() -> "Scorer":
    """A scorer by the published rules, without the first and the last frame."""
    try:
        from vos_benchmark import Scorer
    except ImportError as error:
        raise ImportError("score=true needs the scoring package: pip install ./vos-benchmark") from error
    return Scorer()


def joined_scores(scorers: "Sequence[Scorer]") -> dict[str, Any]:
    """J&F, J, F and the like, 0 to 1, over all objects and by video. Raises ValueError if there is nothing to score."""
    total = new_scorer()
    for scorer in scorers:
        total.merge(scorer)
    result = total.result()
    by_video = {video.name: video.measures for video in result.videos if video.objects}
    return {**result.measures, "videos": by_video, "notes": list(result.notes)}
