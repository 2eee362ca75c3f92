"""The contours of all objects of a label map.

A pixel belongs to the contour of an object when the object covers some, but not all, of the pixel itself and its
right, lower and lower-right neighbours; beyond the frame, the last row and column are repeated (`seg2bmap` of the
Berkeley segmentation benchmark, as used by the DAVIS programs).
"""

import numpy as np

from .matching import Contour

Box = tuple[slice, slice]


def joint_box(truth: np.ndarray, prediction: np.ndarray) -> Box:
    """The part of the frame with all objects of both maps, plus a margin of one pixel where the frame has it."""
    shown = truth | prediction
    columns = np.flatnonzero(np.bitwise_or.reduce(shown, axis=0))
    if not columns.size:
        return slice(0, 0), slice(0, 0)
    across = slice(max(int(columns[0]) - 1, 0), int(columns[-1]) + 2)
    rows = np.flatnonzero(shown[:, across].max(axis=1))
    return slice(max(int(rows[0]) - 1, 0), int(rows[-1]) + 2), across


def contours_by_id(labels: np.ndarray) -> dict[int, Contour]:
    """Contours of all objects of a label map (H, W); an object that fills the map has none.

    Only pixels with two labels in their neighbourhood can be on a contour; they are found once for all objects.
    """
    height, width = labels.shape
    places = np.flatnonzero(_transitions(labels))
    if not places.size:
        return {}
    rows, columns = np.divmod(places, width)
    right = places + (columns < width - 1)
    down = (rows < height - 1) * width
    around = np.stack([labels.ravel().take(where) for where in (places, right, places + down, right + down)])
    ids = [id for id in values_in(around) if id != 0]
    if len(ids) == 1:
        return {ids[0]: (rows, columns)}
    members = ((id, (around == id).any(axis=0)) for id in ids)
    return {id: (rows[member], columns[member]) for id, member in members}


def values_in(labels: np.ndarray) -> list[int]:
    """The values that occur, ascending."""
    if labels.dtype == np.uint8:
        return np.flatnonzero(np.bincount(labels.ravel(), minlength=256)).tolist()
    return np.unique(labels).tolist()


def _transitions(labels: np.ndarray) -> np.ndarray:
    """True (H, W) where the right, lower or lower-right neighbour has another label.

    That is where it differs from the right or the lower one, or the lower one from the lower-right one.
    """
    across = labels[:, 1:] != labels[:, :-1]
    differs = np.zeros(labels.shape, bool)
    differs[:, :-1] = across
    differs[:-1, :-1] |= across[1:]
    differs[:-1] |= labels[1:] != labels[:-1]
    return differs
