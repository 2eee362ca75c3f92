"""Logits that only the training loss sees."""

import torch
from torch import Tensor, nn

from livos.model.layers import per_object


class SensoryHead(nn.Module):
    """Predicts the mask from the sensory memory alone: a query for the pixel feature, and a bias."""

    def __init__(self, dim: int):
        super().__init__()
        self.projection = nn.Conv2d(dim, dim + 1, 1)

    def forward(self, pixel_feature: Tensor, sensory: Tensor) -> Tensor:
        """(B, V, h, w) and (B, N, V, h, w) -> logits (B, N, h, w)."""
        projected = per_object(self.projection, sensory)
        return torch.einsum("bvhw,bnvhw->bnhw", pixel_feature, projected[:, :, :-1]) + projected[:, :, -1]


class AuxComputer(nn.Module):
    """Holds the auxiliary heads under the name that the released checkpoints give them."""

    def __init__(self, dim: int):
        super().__init__()
        self.sensory_aux = SensoryHead(dim)
