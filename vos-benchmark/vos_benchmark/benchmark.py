"""The scoring function with the interface of hkchengrex/vos-benchmark.

from vos_benchmark.benchmark import benchmark
benchmark([truth_dir], [prediction_dir])
"""

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from .errors import ScoringError
from .results import Result
from .scoring import score
from .tables import text_table, write_results_csv
from .terminal import printable, say
from .workers import available_processors

ObjectMetrics = dict[str, tuple[dict[int, float], dict[int, float]]]


def benchmark(
    gt_roots: Sequence[str | Path],
    mask_roots: Sequence[str | Path],
    strict: bool = True,
    num_processes: int | None = None,
    *,
    verbose: bool = True,
    skip_first_and_last: bool = True,
) -> tuple[list[float], list[float], list[float], list[ObjectMetrics]]:
    """J&F, J and F of predictions for one or more data sets, in percent.

    Writes `results.csv` into each folder of predictions. `vos_benchmark.score` returns more, and from 0 to 1.

    Args:
        gt_roots: Folders of true masks `<video>/<frame>.png`, one per data set. If a folder contains `Annotations`,
            that is used.
        mask_roots: Folders of predicted masks, in the same order.
        strict: Require the same videos on both sides; otherwise only common ones are scored.
        num_processes: None for all CPU cores.
        verbose: Print the scores. Notes go to standard error; if not verbose, they are issued as warnings.
        skip_first_and_last: Skip the first and last frame of each video, as in semi-supervised evaluation.

    Returns:
        Four lists with an entry per data set: J&F, J and F as means over all objects, and the scores of the objects,
        `{video: ({id: J}, {id: F})}`.

    Raises:
        ScoringError: If the masks cannot be scored; it lists all reasons.
    """
    for name, roots in (("gt_roots", gt_roots), ("mask_roots", mask_roots)):
        if isinstance(roots, str | Path):
            raise ScoringError(f"{name}={str(roots)!r}: expected a list of folders")
    if len(gt_roots) != len(mask_roots):
        raise ScoringError(f"{len(gt_roots)} folders of truth for {len(mask_roots)} folders of predictions")
    processes = available_processors() if num_processes is None else num_processes
    results = []
    for truth, prediction in zip(gt_roots, mask_roots, strict=True):
        result = score(
            _videos_in(truth),
            _videos_in(prediction),
            processes=processes,
            strict=strict,
            all_frames=not skip_first_and_last,
        )
        _tell(result, write_results_csv(result, prediction), verbose)
        results.append(result)
    percent = {name: [100 * result.measures[name] for result in results] for name in ("J&F", "J", "F")}
    return percent["J&F"], percent["J"], percent["F"], [_object_metrics(result) for result in results]


def _videos_in(root: str | Path) -> Path:
    """The folder of videos: the root itself, or its folder `Annotations`."""
    inner = Path(root) / "Annotations"
    return inner if inner.is_dir() and any(entry.is_dir() for entry in inner.iterdir()) else Path(root)


def _tell(result: Result, fault: str, verbose: bool) -> None:
    for note in filter(None, (*result.notes, fault)):
        if verbose:
            say(f"note: {printable(note)}", sys.stderr)
        else:
            warnings.warn(note, stacklevel=3)
    if verbose:
        say(text_table(result), sys.stdout)


def _object_metrics(result: Result) -> ObjectMetrics:
    return {
        video.name: (
            {item.id: 100 * item.measures["J"] for item in video.objects},
            {item.id: 100 * item.measures["F"] for item in video.objects},
        )
        for video in result.videos
    }
