"""Object memory: each object summarised in Q vectors, half for its inside and half for its outside."""

import torch
from torch import Tensor, nn

from livos.model.positions import PositionEncoding


class ObjectSummarizer(nn.Module):
    """(B, N, V, h, w) values and (B, N, h, w) masks -> (B, N, Q, V + 1): sums of features, then sums of weights.

    Float32 whatever the precision of the rest: it is a sum over all cells.
    """

    def __init__(self, dim: int, num_queries: int):
        super().__init__()
        self.num_queries = num_queries
        self.pos_enc = PositionEncoding(dim)
        self.input_proj = nn.Linear(dim, dim)
        self.feature_pred = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.weights_pred = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, num_queries))

    def forward(self, value: Tensor, masks: Tensor) -> Tensor:
        with torch.autocast(value.device.type, enabled=False):
            cells = self.input_proj(value.float().permute(0, 1, 3, 4, 2))  # (B, N, h, w, V)
            cells = cells + self.pos_enc(*masks.shape[-2:])
            weights = self.weights_pred(cells).sigmoid() * self._sides(masks.float())  # (B, N, h, w, Q)
            sums = torch.einsum("bnhwq,bnhwv->bnqv", weights, self.feature_pred(cells))
            return torch.cat([sums, weights.sum(dim=(2, 3)).unsqueeze(-1)], dim=-1)

    def _sides(self, masks: Tensor) -> Tensor:
        """The mask for the first half of the queries, its complement for the rest: (B, N, h, w, Q)."""
        half = self.num_queries // 2
        inside = masks.unsqueeze(-1)
        return torch.cat([inside.expand(*masks.shape, half), (1 - inside).expand(*masks.shape, half)], dim=-1)
