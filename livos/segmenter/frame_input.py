"""What a caller may pass as a frame, and the size at which the network sees it."""

import numpy as np
import PIL.Image
import torch
from torch import Tensor

Image = np.ndarray | Tensor | PIL.Image.Image

LARGEST_ENLARGEMENT = 8
"""The longest side of an enlarged frame, in short sides of the network: 1 x 2000 would become 240 x 480 000."""
_OVERSHOOT = 0.1  # which bicubic interpolation may cause


def to_tensor(image: Image, device: torch.device) -> Tensor:
    """(3, H, W) float32 in [0, 1] on the device.

    Args:
        image: (H, W, 3) uint8 RGB array, (3, H, W) float tensor in [0, 1], or a PIL image.
        device: Where the tensor should be.

    Raises:
        ValueError: If the shape or type is wrong, or a float tensor (on the CPU) has NaN or values outside [0, 1].
    """
    if isinstance(image, PIL.Image.Image):
        image = np.array(image.convert("RGB"))  # a copy, which may be written to
    if isinstance(image, Tensor):
        if image.ndim != 3 or image.shape[0] != 3 or not image.is_floating_point():
            raise ValueError(f"image {tuple(image.shape)} {image.dtype}: expected a (3, H, W) float tensor in [0, 1]")
        if image.device.type == "cpu":  # looking at values on a GPU would mean waiting for it
            _refuse_other_ranges(image)
        return image.to(device, torch.float32)
    if not isinstance(image, np.ndarray):
        raise ValueError(f"image is a {type(image).__name__}: expected an (H, W, 3) uint8 array, RGB, or a tensor")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image {image.shape} {image.dtype}: expected an (H, W, 3) uint8 array, RGB")
    pixels = torch.from_numpy(np.ascontiguousarray(image)).to(device, non_blocking=True)
    return pixels.permute(2, 0, 1).float() / 255


def _refuse_other_ranges(image: Tensor) -> None:
    low, high = (float(bound) for bound in image.aminmax())
    if not (low >= -_OVERSHOOT and high <= 1 + _OVERSHOOT):  # also catches NaN
        hint = ": divide by 255" if 2 < high <= 255 and low >= 0 else ""
        raise ValueError(f"image has values from {low:g} to {high:g}, expected a float tensor in [0, 1]{hint}")


def inner_size(size: tuple[int, int], short_side: int | None) -> tuple[int, int]:
    """(H, W) at which the network sees a frame of this size, from its short side (None: that of the frame).

    Very long frames with a short side below `short_side` are enlarged less than that, or not at all.
    """
    short, long = min(size), max(size)
    if short_side is None:
        return size
    target = short_side
    if short < short_side:
        target = max(short, min(short_side, short * LARGEST_ENLARGEMENT * short_side // long))
    if target == short:
        return size
    height, width = (side * target // short for side in size)
    return height, width
