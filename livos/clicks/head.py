"""The network that turns clicks, a box and its own last answer into the mask of one object.

It reads the feature pyramid of an image encoder, which knows nothing of clicks and is not trained. Its last answer is
an input for the next click, as in RITM (Sofiiuk et al., ICIP 2022, "Reviving Iterative Training with Mask Guidance").
Shapes: B crops, P clicks, C channels, H x W pixels of a crop, both multiples of 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INSIDE, OUTSIDE, NO_CLICK = 1, 0, -1
"""The third number of a click: on the object, off the object, or an unused entry of the list."""

REACHES = (4.0, 16.0, 64.0)
"""Standard deviations, in pixels, of the Gaussians that show where the clicks are."""

SCALE = 8.0
"""The last answer's logits are divided by this, which makes them about as large as the other input maps."""


@dataclass(frozen=True)
class CropFeatures:
    """What the head knows about a crop before any click. It is computed once and shared by all clicks."""

    fine: Tensor  # (B, C, H/2, W/2): edges of the picture
    levels: tuple[Tensor, ...]  # at strides 4, 8, 16
    descriptors: tuple[Tensor, ...]  # at strides 4, 8, 16; each cell's vector has length 1


class ConvBlock(nn.Module):
    """Residual block, (B, C, H, W) -> the same: filters each channel alone, then mixes them (ConvNeXt)."""

    def __init__(self, dim: int, kernel: int, expansion: int):
        super().__init__()
        self.filter = nn.Conv2d(dim, dim, kernel, padding=kernel // 2, groups=dim, bias=False)
        self.norm = nn.BatchNorm2d(dim)
        self.widen = nn.Conv2d(dim, dim * expansion, 1)
        self.narrow = nn.Conv2d(dim * expansion, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.narrow(F.relu(self.widen(self.norm(self.filter(x)))))


class AttentionBlock(nn.Module):
    """Residual self-attention over all cells: (B, C, h, w) -> the same."""

    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.norm = nn.BatchNorm2d(dim)
        self.project = nn.Conv2d(dim, 3 * dim, 1)
        self.merge = nn.Conv2d(dim, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        heads = self.project(self.norm(x)).flatten(2).unflatten(1, (3, self.num_heads, -1))  # (B, 3, heads, C, h w)
        query, key, value = heads.transpose(-1, -2).unbind(1)
        mixed = F.scaled_dot_product_attention(query, key, value)  # (B, heads, h w, C)
        return x + self.merge(mixed.transpose(-1, -2).flatten(1, 2).unflatten(-1, x.shape[-2:]).contiguous())


class ClickHead(nn.Module):
    """Turns the features of a crop and the clicks in it into the logits of one object.

    Args:
        channels: Of the image encoder's pyramid at strides 4, 8 and 16.
        dims: Channels of the head at strides 2, 4, 8 and 16.
        blocks: Residual blocks of the head at strides 4, 8 and 16.
        descriptor_dim: Length of the vectors by which cells are compared with the clicked ones.
    """

    def __init__(
        self,
        channels: Sequence[int],
        dims: Sequence[int] = (16, 32, 64, 144),
        blocks: Sequence[int] = (2, 3, 4),
        descriptor_dim: int = 32,
    ):
        super().__init__()
        fine, *level_dims = dims
        self.edges = nn.Sequential(_conv(3, fine, 2), _conv(fine, fine))
        self.levels = nn.ModuleList(nn.Conv2d(c, dim, 1) for c, dim in zip(channels, level_dims, strict=True))
        self.descriptors = nn.ModuleList(nn.Conv2d(c, descriptor_dim, 1) for c in channels)
        prompts = 2 * len(REACHES) + 2
        d4, d8, d16 = level_dims
        self.prompt4 = _conv(prompts, d4)
        self.prompt8 = _conv(d4, d8, 2)
        self.prompt16 = _conv(d8, d16, 2)
        self.similar = nn.ModuleList(nn.Conv2d(3, dim, 1) for dim in level_dims)
        attention = [AttentionBlock(d16, 4), AttentionBlock(d16, 4)]
        coarse = [ConvBlock(d16, 7, 3) for _ in range(blocks[2])]
        half = len(coarse) // 2
        self.blocks16 = nn.Sequential(*coarse[:half], attention[0], *coarse[half:], attention[1])
        self.blocks8 = nn.Sequential(*(ConvBlock(d8, 5, 3) for _ in range(blocks[1])))
        self.blocks4 = nn.Sequential(*(ConvBlock(d4, 5, 2) for _ in range(blocks[0])))
        self.down16, self.down8 = nn.Conv2d(d16, d8, 1), nn.Conv2d(d8, d4, 1)
        self.down4 = nn.Conv2d(d4, fine, 1)
        self.last = nn.Sequential(_conv(fine, fine), nn.Conv2d(fine, 1, 3, padding=1))

    def look(self, images: Tensor, pyramid: Sequence[Tensor]) -> CropFeatures:
        """The part that does not depend on clicks.

        Args:
            images: (B, 3, H, W), normalised as for the image encoder.
            pyramid: The encoder's features of these images, at strides 4, 8 and 16.
        """
        return CropFeatures(
            fine=self.edges(images),
            levels=tuple(layer(x) for layer, x in zip(self.levels, pyramid, strict=True)),
            descriptors=tuple(
                F.normalize(layer(x).float(), dim=1) for layer, x in zip(self.descriptors, pyramid, strict=True)
            ),
        )

    def forward(self, features: CropFeatures, clicks: Tensor, boxes: Tensor, last: Tensor) -> Tensor:
        """The logits of one object in each crop.

        Args:
            features: Of the crops, from `look`.
            clicks: (B, P, 3), P of 1 or more: x and y in pixels of the crop, and `INSIDE`, `OUTSIDE` or `NO_CLICK`.
            boxes: (B, 4): x0, y0, x1, y1 in pixels of the crop; NaN where there is no box.
            last: (B, 1, H/2, W/2): the logits that this method returned before; 0 if there are none yet.

        Returns:
            (B, 1, H/2, W/2), float32.
        """
        maps = prompt_maps(clicks, boxes, last, features.levels[0].shape[-2:])
        likeness = [_likeness(x, clicks, last) for x in features.descriptors]
        x4 = self.prompt4(maps)
        x8 = self.prompt8(x4)
        x16 = self.prompt16(x8)
        inputs = [
            image + prompt + layer(like)
            for image, prompt, layer, like in zip(features.levels, (x4, x8, x16), self.similar, likeness, strict=True)
        ]
        y = self.blocks16(inputs[2])
        y = self.blocks8(inputs[1] + _twice(self.down16(y)))
        y = self.blocks4(inputs[0] + _twice(self.down8(y)))
        return self.last(F.relu(features.fine + _twice(self.down4(y)))).float()


def prompt_maps(clicks: Tensor, boxes: Tensor, last: Tensor, size: Sequence[int]) -> Tensor:
    """Clicks, box and last answer as (B, 8, H/4, W/4): Gaussians around clicks; 1 inside the box and -1 outside it."""
    rows, columns = ((torch.arange(n, device=clicks.device) + 0.5) * 4 for n in size)
    distance = (columns - clicks[..., 0, None]).square()[:, :, None] + (rows - clicks[..., 1, None]).square()[..., None]
    maps = []
    for label in (INSIDE, OUTSIDE):
        nearest = distance.masked_fill((clicks[..., 2] != label)[..., None, None], torch.inf).amin(1)  # (B, H/4, W/4)
        maps += [torch.exp(-nearest / (2 * reach**2)) for reach in REACHES]
    across = (columns >= boxes[:, 0, None]) & (columns <= boxes[:, 2, None])
    along = (rows >= boxes[:, 1, None]) & (rows <= boxes[:, 3, None])
    given = boxes.isfinite().all(1)[:, None, None]
    maps.append((across[:, None] & along[:, :, None]).float().mul(2).sub(1) * given)
    small = F.avg_pool2d(last, 2)[:, 0]
    return torch.stack([*maps, (small / SCALE).clamp(-1, 1)], dim=1)


def _likeness(descriptors: Tensor, clicks: Tensor, last: Tensor) -> Tensor:
    """(B, 3, h, w): how similar each cell is to those clicked inside, those clicked outside, and the last answer.

    These are cosines, and 0 if there is nothing to compare with.
    """
    size = descriptors.new_tensor([last.shape[-1] * 2, last.shape[-2] * 2])
    places = (clicks[..., :2] / size * 2 - 1)[:, :, None]  # (B, P, 1, 2) in [-1, 1]
    clicked = F.grid_sample(descriptors, places, align_corners=False, padding_mode="border")[..., 0]  # (B, C, P)
    cosines = torch.einsum("bcp,bchw->bphw", clicked, descriptors)
    maps = []
    for label in (INSIDE, OUTSIDE):
        chosen = clicks[..., 2] == label
        highest = cosines.masked_fill(~chosen[..., None, None], -2).amax(1)
        maps.append(highest * chosen.any(1)[:, None, None])
    height, width = descriptors.shape[-2:]
    inside = F.adaptive_avg_pool2d(last, (height, width)).sigmoid()
    inside = inside * (last != 0).any(-1, keepdim=True).any(-2, keepdim=True)
    mean = F.normalize((descriptors * inside).sum((2, 3)), dim=1)
    maps.append(torch.einsum("bc,bchw->bhw", mean, descriptors))
    return torch.stack(maps, dim=1)


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _conv(in_dim: int, out_dim: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_dim, out_dim, 3, stride, 1, bias=False), nn.BatchNorm2d(out_dim), nn.ReLU(inplace=True)
    )
