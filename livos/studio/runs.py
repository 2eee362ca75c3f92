"""How masks are encoded between server and page: as runs of equal ids, row by row, in pairs of numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.uint8]

LARGEST_ID = 255
_PAIR = np.dtype("<u4")


def to_runs(labels: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> bytes:
    """The (H, W) labels as pairs (id, length) of little-endian uint32, from the upper left corner row by row."""
    flat = labels.ravel()
    if not flat.size:
        return b""
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(np.append(starts, flat.size))
    return np.stack([flat[starts].astype(_PAIR), lengths.astype(_PAIR)], axis=1).tobytes()


def from_runs(data: bytes, size: tuple[int, int]) -> Labels:
    """The (H, W) uint8 labels that runs encode.

    Args:
        data: What `to_runs` returns, or the page sends.
        size: (H, W) of the frame.

    Raises:
        ValueError: If the runs do not fill the frame exactly, or contain an id above 255.
    """
    num_pixels = size[0] * size[1]
    if not data or len(data) % 8:
        raise ValueError(f"{len(data)} bytes of runs: expected pairs of two uint32 numbers")
    pairs = np.frombuffer(data, _PAIR).reshape(-1, 2)
    ids, lengths = pairs[:, 0], pairs[:, 1].astype(np.int64)
    if not lengths.all():
        raise ValueError("a run of no pixels: expected lengths of at least 1")
    if lengths.sum() != num_pixels:
        raise ValueError(f"runs of {lengths.sum()} pixels for a frame of {size[1]} x {size[0]}: expected {num_pixels}")
    if ids.max() > LARGEST_ID:
        raise ValueError(f"a run of object {ids.max()}: expected ids from 0 to {LARGEST_ID}")
    return np.repeat(ids.astype(np.uint8), lengths).reshape(size)
