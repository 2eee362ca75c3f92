"""Blocks that several parts of the network share.

Shapes, here and in the whole project: B clips, T frames, N objects, C/K/V channels (any, key, value), Q queries,
H x W the padded image, h x w = H/16 x W/16 cells. Tensors of objects are (B, N, C, h, w).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def per_object(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Applies an image layer to every object: (B, N, C, H, W) -> (B, N, C', H', W')."""
    return layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])


def in_object_chunks(part: Callable, chunk_size: int | None, *tensors: Tensor):
    """`part(*tensors)`, computed for at most `chunk_size` objects at a time to bound memory.

    All tensors, and all results (one tensor or a tuple of them), have the objects on axis 1. None means all at once.
    """
    if chunk_size is None or chunk_size >= tensors[0].shape[1]:
        return part(*tensors)
    results = [part(*pieces) for pieces in zip(*(x.split(chunk_size, dim=1) for x in tensors), strict=True)]
    if isinstance(results[0], Tensor):
        return torch.cat(results, dim=1)
    return tuple(torch.cat(pieces, dim=1) for pieces in zip(*results, strict=True))


class ChannelAttentionBlock(nn.Module):
    """Residual block whose branch is scaled per channel: (B, C, H, W) -> (B, C, H, W).

    The scale is the sigmoid of a short convolution along the channels of the spatial mean (ECA-Net).
    """

    def __init__(self, dim: int):
        super().__init__()
        self.conv1 = nn.Conv2d(dim, dim, 3, padding=1)
        self.conv2 = nn.Conv2d(dim, dim, 3, padding=1)
        kernel = int((math.log2(dim) + 1) // 2)
        kernel += 1 - kernel % 2  # odd
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.conv2(F.relu(self.conv1(F.relu(x))))
        mean = branch.mean(dim=(2, 3))  # (B, C)
        scale = self.conv(mean.unsqueeze(1)).squeeze(1).sigmoid()
        return torch.addcmul(x, branch, scale[:, :, None, None].to(branch.dtype))


class FeatureFuser(nn.Module):
    """Merges what the image shows with what is known of each object.

    (B, V, h, w) of the image and (B, N, C, h, w) of the objects -> (B, N, V, h, w).
    """

    def __init__(self, image_dim: int, object_dim: int, dim: int):
        super().__init__()
        self.x_transform = nn.Conv2d(image_dim, dim, 1)
        self.y_transform = nn.Conv2d(object_dim, dim, 1)
        self.layer1 = ChannelAttentionBlock(dim)
        self.layer2 = ChannelAttentionBlock(dim)

    def forward(self, image_feature: Tensor, object_features: Tensor) -> Tensor:
        shared = self.x_transform(image_feature).unsqueeze(1)  # once for all objects
        merged = shared + per_object(self.y_transform, object_features)
        return per_object(lambda x: self.layer2(self.layer1(x)), merged)


class GatedUpdate(nn.Module):
    """One step of the sensory memory: features and sensory, both (B, N, V, h, w), -> sensory (B, N, V, h, w)."""

    def __init__(self, dim: int, kernel: int):
        super().__init__()
        self.transform = nn.Conv2d(2 * dim, 3 * dim, kernel, padding=kernel // 2)
        nn.init.xavier_normal_(self.transform.weight)

    def forward(self, features: Tensor, sensory: Tensor) -> Tensor:
        gates = per_object(self.transform, torch.cat([features, sensory.to(features.dtype)], dim=2))
        forget, update, new = gates.float().chunk(3, dim=2)
        forget, update = forget.sigmoid(), update.sigmoid()
        return forget * sensory * (1 - update) + update * new.tanh()
