"""Signs that a mask was antialiased, resized with interpolation or compressed with loss: its values are no ids."""

from collections.abc import Iterable

import numpy as np

from .contours import joint_box

_SHARE = 0.6  # no inner pixel of a real object is between its neighbours in value; most of a blended edge is


def blended_ids(labels: np.ndarray, candidates: Iterable[int]) -> tuple[int, ...]:
    """Those of `candidates` most of whose pixels in `labels` (H, W) lie strictly between values of their neighbours."""
    values = labels[joint_box(labels, labels)]
    between = values[(_extreme(values, np.minimum) < values) & (values < _extreme(values, np.maximum))]
    shares = ((id, np.count_nonzero(between == id), np.count_nonzero(values == id)) for id in sorted(candidates))
    return tuple(id for id, inside, total in shares if total and inside >= _SHARE * total)


def _extreme(values: np.ndarray, choose: np.ufunc) -> np.ndarray:
    """Least or greatest value (H, W) in the 3 x 3 neighbourhood of every pixel."""
    padded = np.pad(values, 1, mode="edge")
    rows = choose(choose(padded[:-2], padded[1:-1]), padded[2:])
    return choose(choose(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
