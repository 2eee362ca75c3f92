"""From the caller's object ids to the network's channels and back, and how given masks enter the probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from livos.model.masks import one_channel_each
from livos.segmenter.frame_input import Image

LARGEST_ID = 2**31 - 1


@dataclass(frozen=True)
class GivenMasks:
    """Masks that the caller gives on one frame."""

    labels: Tensor  # (H, W) int64, ids as the caller numbers them, at the size of the frame
    ids: tuple[int, ...]  # those present, ascending, then those given as absent

    @classmethod
    def read(
        cls, labels: Image | None, size: tuple[int, int], device: torch.device, absent: Sequence[int] = ()
    ) -> "GivenMasks":
        """Checks an index mask (H, W) against the frame's size; True in a boolean mask is object 1.

        labels: None means a mask without objects. absent: ids of objects that are not on the frame.

        Raises:
            ValueError: If it is not an index mask, has another size, has ids below 0 or above 2147483647, or shows an
                object that is absent.
        """
        array = np.zeros(size, np.int64) if labels is None else index_mask(labels)
        if array.shape != size:
            raise ValueError(f"labels have shape {array.shape}, the frame is {size}: expected one integer per pixel")
        ids = tuple(int(i) for i in np.unique(array) if i)
        if both := sorted(set(ids) & set(absent)):
            raise ValueError(f"labels contain the objects {both}, which are given as absent")
        return cls(torch.from_numpy(array).to(device), (*ids, *sorted(set(absent))))

    def channels(self, ids: list[int], size: tuple[int, int]) -> Tensor:
        """One mask of 0 and 1 for each of `ids`, resized by nearest neighbour: (len(ids), *size) float32."""
        masks = one_channel_each(self.labels, ids)
        if size != tuple(self.labels.shape) and ids:
            masks = torch.nn.functional.interpolate(masks[None], size=size, mode="nearest")[0]
        return masks


def index_mask(labels: Image) -> np.ndarray:
    """(H, W) int64 ids from an integer or boolean array, a tensor or a PIL image; True is object 1.

    Raises:
        ValueError: If it is not an index mask, or has ids below 0 or above 2147483647.
    """
    array = labels.cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if array.dtype != bool and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"labels have type {array.dtype}: expected integer object ids, 0 for the background")
    if array.ndim != 2 or not array.size:
        raise ValueError(f"labels have shape {array.shape}: expected (H, W), one integer per pixel")
    lowest, largest = int(array.min()), int(array.max())
    if lowest < 0:
        raise ValueError(f"labels contain the id {lowest}: expected positive ids, 0 for the background")
    if largest > LARGEST_ID:
        raise ValueError(f"labels contain the id {largest}: expected ids up to {LARGEST_ID}, as results are int32")
    return array.astype(np.int64)


def insert(probabilities: Tensor, masks: Tensor, slots: list[int]) -> Tensor:
    """Replaces the prediction by given masks: (1 + N, H, W) and (M, H, W) for `slots` -> (1 + N', H, W).

    A slot of N or more appends a channel for a new object. Where a mask is given, everything else becomes 0. Where a
    corrected object was predicted but no longer is, its share goes to the others in proportion, or to the background.
    """
    known = probabilities.shape[0] - 1
    free = 1 - masks.sum(dim=0).clamp(max=1)  # where no mask is given
    corrected = [slot for slot in slots if slot < known]
    if corrected:
        rest = probabilities.clone()
        for slot in corrected:
            rest[1 + slot] = 0
        total = rest.sum(dim=0)
        nothing = total < 1e-6
        probabilities = rest / total.clamp(min=1e-6) * ~nothing
        probabilities[0] += nothing
    new = sum(slot >= known for slot in slots)
    grown = torch.cat([probabilities * free, masks.new_zeros(new, *masks.shape[1:])])
    for slot, mask in zip(slots, masks, strict=True):  # an index by a list would wait for the GPU
        grown[1 + slot] = mask
    return grown
