"""A picture of a clip: its frames, and below them the true and the predicted mask of each object."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

FRAME_WIDTH = 160  # pixels of one frame in the picture
MARGIN = 2  # white pixels around each frame


@torch.no_grad()
def picture_of_clip(images: Tensor, labels: Tensor, probabilities: Tensor) -> np.ndarray:
    """An (H', W', 3) uint8 RGB picture with a column per frame; the first frame's prediction is its given mask.

    Args:
        images: (T, 3, H, W) RGB in [0, 1].
        labels: (T, H, W) integers, 0 the background.
        probabilities: (T - 1, 1 + N, H, W) for frames 1 to T - 1, background first.
    """
    num_slots = probabilities.shape[1]
    truth = F.one_hot(labels.long(), num_slots)[..., 1:].permute(3, 0, 1, 2)  # (N, T, H, W)
    rows = [images.float()]
    for slot, true_mask in enumerate(truth.float(), start=1):
        predicted = torch.cat([true_mask[:1], probabilities[:, slot].float()])
        rows += [mask.unsqueeze(1).expand(-1, 3, -1, -1) for mask in (true_mask, predicted)]
    return np.concatenate([row_of_frames(row) for row in rows])


def row_of_frames(frames: Tensor) -> np.ndarray:
    """(T, 3, H, W) in [0, 1] -> (h, T * w, 3) uint8, the frames side by side and small."""
    scale = FRAME_WIDTH / frames.shape[3]
    height = max(1, round(frames.shape[2] * scale))
    small = F.interpolate(frames, (height, FRAME_WIDTH), mode="bilinear", antialias=True)
    framed = F.pad(small.clamp(0, 1), (MARGIN,) * 4, value=1.0)
    side_by_side = framed.permute(2, 0, 3, 1).flatten(1, 2)  # (h, T * w, 3)
    return (255 * side_by_side).round().byte().cpu().numpy()
