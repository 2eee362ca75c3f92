"""Statistics that summarise the scores of an object over time, or of many objects."""

from collections.abc import Sequence

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95
FAILURE_BELOW = 0.1


def recall(values: Sequence[float]) -> float:
    """The share of values above 0.5."""
    return float(np.mean(np.asarray(values) > 0.5))


def decay(values: Sequence[float]) -> float:
    """The mean of the first quarter minus the mean of the last.

    Quarters share their outer frames, as in the DAVIS program; the frame numbers are 64-bit, so that long videos work.
    """
    edges = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(np.int64) - 1
    return float(np.mean(values[: edges[1] + 1]) - np.mean(values[edges[3] :]))


def first_failure(region: Sequence[float]) -> int | None:
    """Index of the frame from which J stays below 0.1 to the end; None if it does not."""
    above = np.flatnonzero(np.asarray(region) >= FAILURE_BELOW)
    start = int(above[-1]) + 1 if above.size else 0
    return start if start < len(region) else None


def resampled_means(strata: Sequence[np.ndarray]) -> np.ndarray:
    """Bootstrap: means (RESAMPLES, M) of rows drawn with replacement, as many as there are, the same on every call.

    Args:
        strata: Values (N, M) of the objects of each group; each is resampled separately, and their means are averaged.
    """
    rng = np.random.default_rng(0)
    return np.mean([_resampled_stratum_means(values, rng) for values in strata], axis=0)


def _resampled_stratum_means(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    count = len(values)
    at_once = max(1, 1_000_000 // count)
    sizes = [min(at_once, RESAMPLES - start) for start in range(0, RESAMPLES, at_once)]
    return np.concatenate([values[rng.integers(count, size=(size, count))].mean(axis=1) for size in sizes])


def interval(means: np.ndarray) -> np.ndarray:
    """Bounds (2, M) between which the middle 95 % of `means` (R, M) lie."""
    tail = (1 - CONFIDENCE) / 2
    return np.quantile(means, [tail, 1 - tail], axis=0)
