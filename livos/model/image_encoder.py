"""What the network computes from the image alone. It does not use the masks, so frames can be encoded in advance."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class ImageFeatures:
    """One batch of encoded frames; the first axis of each tensor is the frame."""

    image: Tensor  # (B, 3, H, W), normalised, padded
    pixel_feature: Tensor  # (B, V, h, w)
    key: Tensor  # (B, K, h, w), positive, sums to 1 over K, float32
    gate: Tensor  # (B, V) in (0, 1), float32
    skip8: Tensor  # (B, D16, H/8, W/8), for the mask decoder
    skip4: Tensor  # (B, D8, H/4, W/4)

    def __getitem__(self, index) -> "ImageFeatures":
        """Selects frames of the batch, by slice or mask, as for a tensor. An integer keeps the batch axis."""
        if isinstance(index, int):
            index = slice(index, index + 1) if index != -1 else slice(-1, None)
        return ImageFeatures(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def at(self, frame: int, num_frames: int) -> "ImageFeatures":
        """Frame `frame` of every clip, from a batch that was flattened from (B, T)."""
        return ImageFeatures(
            **{f.name: getattr(self, f.name).unflatten(0, (-1, num_frames))[:, frame] for f in fields(self)}
        )


class KeyProjector(nn.Module):
    """(B, C, h, w) -> key (B, K, h, w): softmax over the K channels of each cell, float32."""

    def __init__(self, in_dim: int, hidden_dim: int, key_dim: int):
        super().__init__()
        self.layer1 = nn.Conv2d(in_dim, hidden_dim, 1)
        self.layer2 = nn.Conv2d(hidden_dim, key_dim, 3, padding=1)

    def forward(self, f16: Tensor) -> Tensor:
        return self.layer2(self.layer1(f16)).float().softmax(dim=1)


class PixelProjector(nn.Module):
    """(B, C, h, w) -> pixel feature (B, V, h, w)."""

    def __init__(self, in_dim: int, out_dim: int):
        super().__init__()
        self.layer = nn.Conv2d(in_dim, out_dim, 1)

    def forward(self, f16: Tensor) -> Tensor:
        return self.layer(f16)


class GateProjector(nn.Module):
    """(B, C, h, w) -> gate (B, V): how much of the memory a frame keeps, per value channel, float32."""

    def __init__(self, in_dim: int, value_dim: int):
        super().__init__()
        self.layer = nn.Conv2d(in_dim, value_dim, 1)

    def forward(self, f16: Tensor) -> Tensor:
        return self.layer(f16).float().sigmoid().mean(dim=(2, 3))


class Normalize(nn.Module):
    """Normalises RGB in [0, 1] by the mean and deviation that the image encoder was trained with."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(std)[:, None, None], persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        return (image - self.mean) / self.std
