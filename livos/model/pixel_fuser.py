"""Merges what is known about an object, before the transformer sees it."""

import torch
from torch import Tensor, nn

from livos.model.layers import FeatureFuser, per_object


class PixelFuser(nn.Module):
    """Readout, sensory memory and last masks, merged with the pixel feature -> (B, N, V, h, w)."""

    def __init__(self, dim: int):
        super().__init__()
        self.fuser = FeatureFuser(dim, dim, dim)
        self.conv = nn.Conv2d(dim + 2, dim, 1)

    def forward(
        self, pixel_feature: Tensor, readout: Tensor, sensory: Tensor, last_masks: Tensor, last_others: Tensor
    ) -> Tensor:
        """(B, V, h, w); readout and sensory (B, N, V, h, w); last_masks and last_others (B, N, h, w)."""
        known = torch.cat([sensory, last_masks.unsqueeze(2), last_others.unsqueeze(2)], dim=2)
        return self.fuser(pixel_feature, readout + per_object(self.conv, known))
