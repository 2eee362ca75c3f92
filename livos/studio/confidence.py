"""How sure the tracker is of each object on a frame."""

from __future__ import annotations

from collections.abc import Sequence

import torch

STRIDE = 4
"""Every so manieth row and column is looked at, so that it costs next to nothing."""

FEW = 64
"""Objects of fewer such pixels are looked at in full."""


def confidences(probabilities: torch.Tensor, object_ids: Sequence[int]) -> dict[int, float]:
    """For each object the mean probability of its pixels; where it has none, how improbable it is everywhere.

    Args:
        probabilities: (1 + N, H, W), background first, summing to 1.
        object_ids: Of the N other channels.

    Returns:
        A number in [0, 1] for each id.
    """
    coarse = _means(probabilities[:, ::STRIDE, ::STRIDE])
    full: list[tuple[int, float]] | None = None
    found = {}
    for slot, object_id in enumerate(object_ids, start=1):
        count, mean = coarse[slot]
        if count < FEW:
            full = full or _means(probabilities)
            count, mean = full[slot]
        found[object_id] = mean if count else 1 - float(probabilities[slot].max())
    return found


def _means(probabilities: torch.Tensor) -> list[tuple[int, float]]:
    """For each channel, how many pixels it wins, and its mean probability there (0 for none)."""
    largest, winners = probabilities.max(dim=0)
    winners = winners.flatten()
    channels = probabilities.shape[0]
    counts = torch.bincount(winners, minlength=channels)
    sums = torch.zeros(channels, device=probabilities.device).index_add_(0, winners, largest.float().flatten())
    return [(int(count), float(total / max(1, count))) for count, total in zip(counts, sums, strict=True)]
