"""Joining the masks that were tracked from both sides of a gap: where they meet, and how one mask is made from both.

Between two frames with given masks, every object was tracked forwards from the earlier one and backwards from the later
one. Each object gets one seam: its forward mask is used up to the seam and its backward mask after it, each as a whole,
so each side wins near its own given mask. The seam is where the two sides agree best and are most confident. For a few
frames around it, as long as they agree, the shape changes gradually from one to the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from livos.studio.runs import Labels

BLEND = 3
"""The shape changes from one side to the other within this many frames on each side of the seam."""

SAME_THING = 0.5
"""Two masks that agree at least this well count as two versions of one shape. Others are not blended."""

CENTRED = 0.1
"""How much the middle of the gap is preferred: a seam at either end needs this much more agreement."""

Mask = npt.NDArray[np.bool_]
Distance = npt.NDArray[np.float32]


def agreement(one: Mask, other: Mask) -> float:
    """Intersection over union of two (H, W) masks; 1 where both are empty."""
    union = int(np.count_nonzero(one | other))
    return 1.0 if not union else int(np.count_nonzero(one & other)) / union


def choose_seam(agreements: Sequence[float], forward: Sequence[float], backward: Sequence[float]) -> int:
    """The number of frames that are taken from the forward side.

    Args:
        agreements: For each frame of the gap, how well the two masks agree, in [0, 1].
        forward: For each frame, the confidence of the forward side, in [0, 1].
        backward: The same for the backward side.

    Returns:
        The cut with the largest sum of the agreement on both sides of it and the mean confidence of the masks used,
        less a little for its distance from the middle. Each side contributes at least one frame if there are two.
    """
    count = len(agreements)
    if count < 2:
        return count
    sure = np.concatenate([[0.0], np.cumsum(forward)]) + np.concatenate([np.cumsum(backward[::-1])[::-1], [0.0]])
    cuts = np.arange(1, count)
    agreed = (np.asarray(agreements)[:-1] + np.asarray(agreements)[1:]) / 2
    off_centre = np.abs(2 * cuts / count - 1)
    return int(cuts[np.argmax(agreed + sure[1:-1] / count - CENTRED * off_centre)])


def backward_shares(agreements: Sequence[float], seam: int) -> list[float]:
    """For each frame of the gap, the backward side's share of its shape, in [0, 1]; 0 or 1 except near the seam."""
    shares = [float(place >= seam) for place in range(len(agreements))]
    for side in (range(seam, len(agreements)), range(seam - 1, -1, -1)):
        for place in side:
            share = 0.5 + (place + 0.5 - seam) / (2 * BLEND)
            if agreements[place] < SAME_THING or not 0 < share < 1:
                break
            shares[place] = share
    return shares


def joined(forward: Labels, backward: Labels, shares: Mapping[int, float]) -> Labels:
    """One mask from two: (H, W) labels of the objects in `shares`, which gives the backward side's share of each.

    An object is one of the two masks or the shape between them, which is where the mean of the signed distances to
    their borders is positive. Where two objects overlap, a pixel belongs to the object in which it is deeper.
    """
    depths = {i: _depth(forward == i, backward == i, share) for i, share in shares.items()}
    labels = np.zeros(forward.shape, np.uint8)
    deepest = np.zeros(forward.shape, np.float32)
    for object_id, depth in depths.items():
        deeper = depth > deepest
        labels[deeper] = object_id
        deepest[deeper] = depth[deeper]
    return labels


def _depth(forward: Mask, backward: Mask, share: float) -> Distance:
    if share in (0, 1):
        return signed_distance(backward if share else forward)
    return (1 - share) * signed_distance(forward) + share * signed_distance(backward)


def signed_distance(mask: Mask) -> Distance:
    """(H, W) distance in pixels to the border of a mask: positive inside, negative outside, never 0."""
    if not mask.any():
        return np.full(mask.shape, -float(sum(mask.shape)), np.float32)
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    if mask.all():
        return np.full(mask.shape, float(sum(mask.shape)), np.float32)
    return np.where(mask, inside - 0.5, 0.5 - outside).astype(np.float32)
