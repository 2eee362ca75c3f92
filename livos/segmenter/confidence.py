"""How far a mask can be trusted: for each object and frame the expected J, its overlap with the true mask.

Only what the network computes anyway is needed: its probabilities, and where each object was before. A few numbers
derived from these (`FEATURES`) go through a logistic regression whose coefficients come with the weights, fitted by
scripts/fit_confidence.py on videos whose true masks are known.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from livos.checkpoints import CONFIDENCE_KEY
from livos.model.masks import to_cells

FEATURES = (
    "overlap",  # logit of the J that the probabilities themselves imply
    "inside",  # logit of the mean probability inside the mask
    "edge",  # uncertain pixels for each pixel of the mask's extent
    "rival",  # mean probability of the strongest other object inside the mask
    "kept",  # overlap with the previous mask, in cells
    "growth",  # how far the area is from the recent mean, as the logarithm of a factor
    "jump",  # movement of the mask's centre, in extents of the mask
    "recent",  # logit of the mean overlap over the last frames
    "least",  # logit of the least overlap since the object was given
    "time",  # logarithm of 1 + the number of frames since then
    "size",  # logarithm of the mask's area as a share of the frame
    "empty",  # 1 where nothing is marked
)
_DECAY = 0.8  # of the means over recent frames: about the last five
_CELLS_AREA = 0.25  # added to areas in cells, so that empty masks have a logarithm


@dataclass(frozen=True)
class ConfidenceModel:
    """The logistic regression."""

    coefficients: tuple[float, ...]  # one for each of FEATURES, then the constant

    @classmethod
    def from_text(cls, text: str) -> "ConfidenceModel":
        """Reads what `to_text` wrote into the metadata of a weights file.

        Raises:
            ValueError: If it is something else, or has other features.
        """
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if not isinstance(content, dict) or set(content) != {*FEATURES, "constant"}:
            raise ValueError(f"expected coefficients of {', '.join(FEATURES)} and constant, found {text[:200]}")
        return cls(tuple(float(content[name]) for name in (*FEATURES, "constant")))

    def to_text(self) -> str:
        """JSON: the coefficients by the features' names."""
        names = (*FEATURES, "constant")
        return json.dumps({name: round(x, 5) for name, x in zip(names, self.coefficients, strict=True)})

    def __call__(self, features: Tensor) -> Tensor:
        """The expected J in [0, 1], (N,), from `features` (N, F) of `observe`."""
        *slopes, constant = self.coefficients
        return (features @ features.new_tensor(slopes) + constant).sigmoid()


PLAIN = ConfidenceModel((1.0, *[0.0] * len(FEATURES)))
"""For weights without coefficients: the J that the probabilities themselves imply, which is too optimistic."""


def confidence_model_of(notes: Mapping[str, str]) -> ConfidenceModel:
    """The model that comes with a weights file (`network.notes`), or PLAIN.

    Raises:
        ValueError: If the file has one that cannot be used.
    """
    return ConfidenceModel.from_text(notes[CONFIDENCE_KEY]) if CONFIDENCE_KEY in notes else PLAIN


def new_history(num_objects: int, device: torch.device | str = "cpu") -> Tensor:
    """What `observe` carries from frame to frame, for objects just given: (N, 4) float32.

    Columns: frames since the object was given, mean and least overlap, mean logarithm of the area in cells (NaN before
    the first frame).
    """
    row = torch.tensor([0.0, 1.0, 1.0, torch.nan], device=device)
    return row.repeat(num_objects, 1)


def observe(probabilities: Tensor, before: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
    """Looks at one frame.

    Args:
        probabilities: (1 + N, H, W), background first, from the network; H and W are multiples of 16.
        before: (N, H / 16, W / 16), the share of each cell that the object covered on the previous frame.
        history: (N, 4), from `new_history` or the previous frame.

    Returns:
        features (N, F) in the order of FEATURES, and the history for the next frame. Both are float32, on the device of
        the probabilities, and computed without waiting for it.
    """
    probabilities, before = probabilities.float(), before.float()
    inside = F.one_hot(probabilities.max(dim=0).indices, len(probabilities)).permute(2, 0, 1)[1:].float()
    objects, pixels = probabilities[1:], inside.sum(dim=(1, 2))
    overlap = _ratio((objects * inside).sum(dim=(1, 2)), torch.maximum(objects, inside).sum(dim=(1, 2)))
    mean_inside = _ratio((objects * inside).sum(dim=(1, 2)), pixels)
    edge = torch.log1p((objects * (1 - objects)).sum(dim=(1, 2)) / (pixels.sqrt() + 4))
    rival = _ratio((_strongest_others(objects) * inside).sum(dim=(1, 2)), pixels)
    now = to_cells(inside[None])[0]
    area = torch.log(now.sum(dim=(1, 2)) + _CELLS_AREA)
    frames, recent, least, usual_area = history.unbind(dim=1)
    usual_area = torch.where(usual_area.isnan(), torch.log(before.sum(dim=(1, 2)) + _CELLS_AREA), usual_area)
    features = [
        *(torch.logit(x, eps=0.01) for x in (overlap, mean_inside)),
        *(edge, rival),
        _ratio(torch.minimum(now, before).sum(dim=(1, 2)), torch.maximum(now, before).sum(dim=(1, 2))),
        (area - usual_area).abs(),
        _jump(now, before),
        *(torch.logit(x, eps=0.01) for x in (recent, least)),
        torch.log1p(frames),
        area - torch.log(torch.tensor(float(now[0].numel()))),
        (pixels == 0).float(),
    ]
    later = [
        frames + 1,
        _DECAY * recent + (1 - _DECAY) * overlap,
        torch.minimum(least, overlap),
        _DECAY * usual_area + (1 - _DECAY) * area,
    ]
    return torch.stack(features, dim=1), torch.stack(later, dim=1)


def given_anew(values: Tensor, slots: Sequence[int], fresh: Tensor) -> Tensor:
    """`fresh` (N, …), where the first n objects keep their `values` (n, …), n <= N, unless they were given just now.

    slots: the objects that were given.
    """
    keep = [slot for slot in range(len(values)) if slot not in slots]
    for slot in keep:  # an index by a list would wait for the GPU
        fresh[slot] = values[slot]
    return fresh


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    return part / whole.clamp(min=1e-6)


def _strongest_others(objects: Tensor) -> Tensor:
    """For each object (N, H, W) the largest probability of any other one; zeros if there is none."""
    if len(objects) == 1:
        return torch.zeros_like(objects)
    first, second = objects.topk(2, dim=0).values
    return torch.where(objects == first, second, first)


def _jump(now: Tensor, before: Tensor) -> Tensor:
    """Distance between the centres of two masks (N, h, w), in roots of their mean area, at most 5; 0 where empty."""
    rows = torch.arange(now.shape[1], dtype=torch.float32, device=now.device)[:, None]
    columns = torch.arange(now.shape[2], dtype=torch.float32, device=now.device)
    areas = now.sum(dim=(1, 2)), before.sum(dim=(1, 2))
    steps = [
        _ratio((now * place).sum(dim=(1, 2)), areas[0]) - _ratio((before * place).sum(dim=(1, 2)), areas[1])
        for place in (rows, columns)
    ]
    distance = torch.hypot(*steps) / ((areas[0] + areas[1]) / 2).clamp(min=_CELLS_AREA).sqrt()
    return torch.where((areas[0] > 0) & (areas[1] > 0), distance.clamp(max=5), torch.zeros_like(distance))
