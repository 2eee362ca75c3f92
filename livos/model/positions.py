"""Sine position encoding of the cells of a map."""

import torch
from torch import Tensor, nn

_LONGEST = 128  # wavelengths grow geometrically up to this
_EXTENT = 32  # a map of any size spans the coordinates 0 to 32


class PositionEncoding(nn.Module):
    """Gives every cell of a map a code: half of the channels for x, then half for y, sine and cosine interleaved."""

    inv_freq: Tensor

    def __init__(self, dim: int):
        super().__init__()
        if dim % 4:
            raise ValueError(f"value_dim={dim}: a position code needs a multiple of 4 channels")
        exponents = torch.arange(0, dim // 2, 2).float() / (dim // 2)
        self.register_buffer("inv_freq", 1.0 / _LONGEST**exponents)  # in the released checkpoints, though fixed

    def forward(self, height: int, width: int) -> Tensor:
        """(height, width, dim), float32."""
        rows, columns = self._axis(height), self._axis(width)
        return torch.cat([columns.expand(height, -1, -1), rows.unsqueeze(1).expand(-1, width, -1)], dim=-1)

    def _axis(self, length: int) -> Tensor:
        place = torch.arange(length, device=self.inv_freq.device).float() / (length - 1 + 1e-6) * _EXTENT
        angles = place[:, None] * self.inv_freq.float()
        return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
