"""Where on a frame the loss is computed: mostly at points where the prediction is uncertain.

The rule is that of PointRend (Kirillov et al., CVPR 2020, section 3.1, training).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

OVERSAMPLING = 3  # candidates for each point
UNCERTAIN_SHARE = 0.75  # of the points are the most uncertain candidates; the others are uniformly random


def values_at(maps: Tensor, points: Tensor) -> Tensor:
    """Bilinear values of the maps (T, C, h, w) at points (T, P, 2), as (T, C, P).

    Points are (x, y) in [0, 1] from the upper left to the lower right corner of the map, whatever its size.
    """
    return F.grid_sample(maps, (2 * points - 1).unsqueeze(2), align_corners=False).squeeze(3)


def uncertainty(logits: Tensor) -> Tensor:
    """How uncertain each point of (T, C, P) logits is, as (T, P): minus the gap between its two largest logits."""
    largest = logits.topk(2, dim=1).values
    return largest[:, 1] - largest[:, 0]


@torch.no_grad()
def uncertain_points(logits: Tensor, num_points: int, generator: torch.Generator) -> Tensor:
    """Points (T, num_points, 2) in [0, 1] for the loss of (T, C, h, w) logits.

    Args:
        logits: Float32, over background and at least one object.
        generator: A generator on the device of the logits.
    """
    num_frames, device = logits.shape[0], logits.device
    num_uncertain = int(UNCERTAIN_SHARE * num_points)
    candidates = torch.rand(num_frames, OVERSAMPLING * num_points, 2, generator=generator, device=device)
    best = uncertainty(values_at(logits, candidates)).topk(num_uncertain, dim=1).indices
    chosen = candidates.gather(1, best.unsqueeze(2).expand(-1, -1, 2))
    uniform = torch.rand(num_frames, num_points - num_uncertain, 2, generator=generator, device=device)
    return torch.cat([chosen, uniform], dim=1)
