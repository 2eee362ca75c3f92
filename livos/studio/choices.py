"""The weights, precisions and devices that can be used on this machine."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from livos.loading import find_weights, weight_names
from livos.segmenter.segmenter import PRECISIONS
from livos.studio.document import Settings

LARGEST_SIZE = 4096


@dataclass(frozen=True)
class Choices:
    """The values that settings may have, as the page shows them."""

    weights: list[str]
    precisions: list[str]
    devices: list[str]

    @classmethod
    def here(cls, given: str | None) -> Choices:
        """The choices on this machine. given: the weights that Studio was started with, a name or a file."""
        names = [name for name in weight_names() if _is_there(name)]
        weights = names if given is None or given in names else [given, *names]
        return cls(weights, list(PRECISIONS), devices())

    def check(self, settings: Settings) -> None:
        """Raises ValueError for what is not available."""
        for value, known in (
            (settings.weights, self.weights),
            (settings.precision, self.precisions),
            (settings.device, self.devices),
        ):
            if value not in known:
                raise ValueError(f"{value!r} is not available: expected one of {', '.join(known)}.")
        size = settings.size
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or not 16 <= size <= LARGEST_SIZE):
            raise ValueError(f"The working size is a short side of 16 to {LARGEST_SIZE} pixels, not {size!r}.")


def devices() -> list[str]:
    """What this machine can compute on, as `VideoSegmenter` takes it."""
    gpus = [f"cuda:{place}" for place in range(torch.cuda.device_count())]
    return ["auto", "cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]


def _is_there(name: str) -> bool:
    try:
        find_weights(name)
    except FileNotFoundError:
        return False
    return True
