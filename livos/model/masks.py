"""Masks as tensors: soft aggregation of objects, padding to the network's grid, one channel per object."""

import torch
from torch import Tensor
from torch.nn import functional as F

STRIDE = 16  # the memory's cells are 16 x 16 pixels; images are padded to a multiple of it

_NEVER = -1e4  # logit of a slot that holds no object; finite, so that gradients stay finite
_LARGEST = 16.118095  # logit of 1 - 1e-7: no probability comes closer to 0 or 1

Padding = tuple[int, int, int, int]  # left, right, top, bottom, as F.pad takes it


def aggregate(logits: Tensor, selector: Tensor | None = None) -> Tensor:
    """Returns logits of background and objects, float32, from each object's independent logit.

    The background is where no object is: its probability b is the product of (1 - p) over the objects (STM, Oh et al.,
    ICCV 2019), computed as a sum of logarithms, so that nothing rounds to 0 or 1 even in half precision.

    Args:
        logits: (B, N, H, W).
        selector: (B, N), False for a slot without an object, which is excluded.

    Returns:
        (B, 1 + N, H, W) within ±16.2; a softmax over axis 1 gives probabilities that sum to 1.
    """
    logits = logits.float()
    log_absent = F.logsigmoid(-logits)  # log(1 - p)
    if selector is not None:
        log_absent = log_absent.masked_fill(~selector[:, :, None, None], 0.0)
    log_background = log_absent.sum(dim=1, keepdim=True)
    background = log_background - torch.log(-torch.expm1(log_background.clamp(max=-1e-7)))  # log(b / (1 - b))
    result = torch.cat([background, logits], dim=1).clamp(-_LARGEST, _LARGEST)
    if selector is not None:
        empty = torch.cat([torch.zeros_like(selector[:, :1]), ~selector], dim=1)
        result = result.masked_fill(empty[:, :, None, None], _NEVER)
    return result


def aggregate_masks(masks: Tensor) -> Tensor:
    """Aggregates masks (B, N, H, W) in [0, 1] into probabilities (B, 1 + N, H, W) that sum to 1, float32."""
    return aggregate(torch.logit(masks.float(), eps=1e-7)).softmax(dim=1)


def padding_of(height: int, width: int) -> Padding:
    """How an image is padded to multiples of 16: evenly, with the extra pixel at the bottom and the right."""
    rows, columns = -height % STRIDE, -width % STRIDE
    return columns // 2, columns - columns // 2, rows // 2, rows - rows // 2


def pad(x: Tensor, padding: Padding) -> Tensor:
    """Adds zeros around the last two axes."""
    return F.pad(x, padding) if any(padding) else x


def unpad(x: Tensor, padding: Padding) -> Tensor:
    """Undoes `pad`."""
    left, right, top, bottom = padding
    return x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right]


def to_cells(masks: Tensor) -> Tensor:
    """The share of each 16 x 16 cell that a mask covers: (B, N, H, W) -> (B, N, h, w)."""
    return F.avg_pool2d(masks, STRIDE)


def others(masks: Tensor) -> Tensor:
    """For every object, the sum of all other objects' masks, in [0, 1]: (B, N, H, W) -> (B, N, H, W)."""
    return (masks.sum(dim=1, keepdim=True) - masks).clamp(0, 1)


def one_channel_each(labels: Tensor, values: list[int]) -> Tensor:
    """(H, W) integers -> (len(values), H, W) float32 masks of 0 and 1."""
    wanted = torch.tensor(values, dtype=labels.dtype, device=labels.device)
    return (labels == wanted[:, None, None]).float()
