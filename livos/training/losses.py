"""The training loss: cross-entropy and dice on points, for the masks and for the auxiliary predictions.

Letters: B clips, T frames after the first one, which is given, N objects, L levels of query logits, P points;
C = 1 + N, background first.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from livos.config.schema import LossConfig
from livos.training.points import uncertain_points, values_at

LOSS_NAMES = ("cross_entropy", "dice", "sensory_cross_entropy", "sensory_dice", "query_cross_entropy", "query_dice")


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of (T, C, P) logits with soft labels of the same shape, summed over T and averaged over P."""
    return F.cross_entropy(logits, labels, reduction="none").sum(0).mean()


def dice(logits: Tensor, labels: Tensor) -> Tensor:
    """Dice loss of (T, C, P) logits with soft labels of the same shape, summed over T and averaged over the objects.

    The background does not count. One is added to numerator and denominator, so that an empty object that is predicted
    to be empty costs nothing.
    """
    probabilities, labels = logits.softmax(dim=1)[:, 1:], labels[:, 1:]
    overlap = 2 * (probabilities * labels).sum(2)
    size = probabilities.sum(2) + labels.sum(2)
    return (1 - (overlap + 1) / (size + 1)).sum(0).mean()


def losses_on_points(logits: Tensor, truth: Tensor, num_points: int, generator: torch.Generator) -> Tensor:
    """Cross-entropy and dice, as (2,), at points where (T, C, h, w) logits are uncertain.

    Args:
        truth: One-hot (T, C, H, W), of any size: points are at relative positions.
    """
    logits = logits.float()
    points = uncertain_points(logits.detach(), num_points, generator)
    point_logits, point_labels = values_at(logits, points), values_at(truth, points)
    return torch.stack([cross_entropy(point_logits, point_labels), dice(point_logits, point_labels)])


def losses_of_clip(
    logits: Tensor,
    sensory_logits: Tensor,
    query_logits: Tensor,
    labels: Tensor,
    config: LossConfig,
    num_points: int,
    generator: torch.Generator,
) -> Tensor:
    """The weighted parts of one clip's loss, as (3, 2): masks, sensory, queries x cross-entropy, dice.

    Args:
        logits: (T, C, H, W), like all the others without padding slots.
        sensory_logits: (T, C, h, w).
        query_logits: (T, C, L, h, w).
        labels: integers 0..N (T, H, W).
    """
    truth = F.one_hot(labels.long(), logits.shape[1]).permute(0, 3, 1, 2).float()
    masks = losses_on_points(logits, truth, num_points, generator)
    sensory = losses_on_points(sensory_logits, truth, num_points, generator)
    levels = [losses_on_points(level, truth, num_points, generator) for level in query_logits.unbind(2)]
    return torch.stack([masks, config.sensory_weight * sensory, config.query_weight * torch.stack(levels).sum(0)])


def losses_of_clips(
    predictions: Sequence[Any],
    labels: Tensor,
    num_objects: Sequence[int],
    config: LossConfig,
    num_points: int,
    generators: Sequence[torch.Generator],
) -> dict[str, Tensor]:
    """The weighted parts of the loss by name, each (B,): their sum is the loss of each clip.

    Args:
        predictions: `livos.model.network.Prediction` of each of the T frames.
        labels: (B, T, H, W).
        num_objects: The number in each clip; further slots are padding and do not count.
        generators: One per clip, so that its points do not depend on the other clips.
    """
    logits = torch.stack([prediction.logits for prediction in predictions], dim=1)
    sensory_logits = torch.stack([prediction.sensory_logits for prediction in predictions], dim=1)
    query_logits = torch.stack([prediction.query_logits for prediction in predictions], dim=1)
    clips = []
    for clip, generator in enumerate(generators):
        num_slots = 1 + num_objects[clip]
        masks, sensory = logits[clip, :, :num_slots], sensory_logits[clip, :, :num_slots]
        queries = query_logits[clip, :, :num_slots]
        clips.append(losses_of_clip(masks, sensory, queries, labels[clip], config, num_points, generator))
    parts = torch.stack(clips)  # (B, 3, 2)
    if config.auxiliary_clips == "last":
        parts = torch.cat([parts[:, :1], F.pad(parts[-1:, 1:], (0, 0, 0, 0, len(clips) - 1, 0))], dim=1)
    return dict(zip(LOSS_NAMES, parts.flatten(1).unbind(1), strict=True))
