"""Signs that the values of a mask are not ids: antialiasing, interpolation, lossy compression or dithering."""

from collections.abc import Iterable

import numpy as np

from .contours import joint_box

_SHARE = 0.6  # no inner pixel of a real object is between its neighbours in value; most of a blended edge is
_LONELY = 16  # from this many pixels of an id without an equal neighbour on, dithering is likelier than noise


def blended_ids(labels: np.ndarray, candidates: Iterable[int]) -> tuple[int, ...]:
    """The `candidates` most of whose pixels in `labels` (H, W) lie strictly between values of their neighbours."""
    values = labels[joint_box(labels, labels)]
    between = values[(_extreme(values, np.minimum) < values) & (values < _extreme(values, np.maximum))]
    shares = ((id, np.count_nonzero(between == id), np.count_nonzero(values == id)) for id in sorted(candidates))
    return tuple(id for id, inside, total in shares if total and inside >= _SHARE * total)


def dithered_ids(labels: np.ndarray, candidates: Iterable[int]) -> tuple[int, ...]:
    """The `candidates` most of whose pixels in `labels` (H, W) have no neighbour with the same id.

    Neighbours are above, below, left and right. Programs leave such patterns when they save a picture in fewer colours
    than it has.
    """
    padded = np.pad(labels[joint_box(labels, labels)], 1)
    inner = padded[1:-1, 1:-1]
    neighbours = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    alone = np.logical_and.reduce([inner != neighbour for neighbour in neighbours])
    shares = ((id, np.count_nonzero(alone & (inner == id)), np.count_nonzero(inner == id)) for id in sorted(candidates))
    return tuple(id for id, lonely, total in shares if lonely >= _LONELY and 2 * lonely > total)


def _extreme(values: np.ndarray, choose: np.ufunc) -> np.ndarray:
    """Least or greatest value (H, W) in the 3 x 3 neighbourhood of every pixel."""
    padded = np.pad(values, 1, mode="edge")
    rows = choose(choose(padded[:-2], padded[1:-1]), padded[2:])
    return choose(choose(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
