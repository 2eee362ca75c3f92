"""The weights that the authors of LiVOS released: names, download locations, and published results.

This is the only table of them: download.py reads it, and README.md, weights/README.md and docs/ are checked against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

PARTS = (
    "aux_computer",
    "gate_projector",
    "image_encoder",
    "key_projector",
    "mask_decoder",
    "mask_encoder",
    "object_summarizer",
    "object_transformer",
    "pix_projector",
    "pixel_fuser",
)
"""The first components of all entry names in a released state dict."""

RESULT_TITLES = MappingProxyType(
    {
        "mose-val": "MOSE",
        "d17-val": "DAVIS-17 val",
        "d17-test-dev": "DAVIS-17 test-dev",
        "y19-val": "YouTube-VOS 19",
        "lvos-val": "LVOS val",
        "lvos-test": "LVOS test",
    }
)
"""Data sets with published results, by their `dataset=` name, and their titles in tables."""


@dataclass(frozen=True)
class ReleasedWeights:
    """One released file: a plain state dict of `model=base`, float32."""

    name: str
    drive_ids: tuple[str, ...]
    """Google Drive ids, newest first; the others are older uploads as a fallback."""
    note: str
    results: Mapping[str, float] = field(default_factory=dict)
    """Published J&F (YouTube-VOS: G) by `dataset=` name; empty where none was published."""
    num_bytes: int = 140_700_000
    """The approximate size of the file: 525 entries with 140 683 980 bytes (134 MiB), plus a little overhead."""

    @property
    def file_name(self) -> str:
        return f"livos-{self.name}.pth"


def _results(*scores: float) -> Mapping[str, float]:
    return MappingProxyType(dict(zip(RESULT_TITLES, scores, strict=True)))


RELEASED_WEIGHTS = (
    ReleasedWeights(
        name="nomose-480p",
        drive_ids=("1ZjhVMUppZ5OZipCALU9ZYwiVF5DEPBxX", "1tG_BxCTWp_o9YH0vBqZqLC9KBsEGSsaH"),
        note="trained on DAVIS and YouTube-VOS at 480p",
        results=_results(59.2, 84.4, 78.2, 79.9, 50.6, 44.6),
    ),
    ReleasedWeights(
        name="nomose-ft-480p",
        drive_ids=("1rUxSjKreh5Q_X7FHvFRyoKBR7GqJr04P", "1ToIDo6PIYF7lQGfO4F7HuHneyatKGWnx"),
        note="the same data without MOSE, fine-tuned",
        results=_results(58.4, 85.1, 81.0, 81.3, 51.2, 50.9),
    ),
    ReleasedWeights(
        name="wmose-480p",
        drive_ids=("1lhfnRCe1yPfB9dcWSA6hv7ABPzHFuNCY", "13FVuxcEwNRfY70PA3O9pOyPO7Gx7Zl5N"),
        note="trained on DAVIS, YouTube-VOS and MOSE at 480p",
        results=_results(64.8, 84.0, 79.6, 82.6, 51.2, 47.0),
    ),
    ReleasedWeights(
        name="nomose-1024p",
        drive_ids=("1_NjVaumXO8IPsFocXdRAvs6hqd-TOSGH",),
        note="for frames of 1024p",
    ),
    ReleasedWeights(
        name="nomose-2048p",
        drive_ids=("1Od-djH3AUDEXJmXmqygCUSrFWUmVyNBG",),
        note="for frames of 2048p",
    ),
)


def find_released_weights(name: str) -> ReleasedWeights:
    """The entry called `name`, which may also be the file's name (`livos-nomose-480p.pth`). Raises ValueError."""
    wanted = name.removeprefix("livos-").removesuffix(".pth")
    for weights in RELEASED_WEIGHTS:
        if weights.name == wanted:
            return weights
    known = ", ".join(weights.name for weights in RELEASED_WEIGHTS)
    raise ValueError(f"no released weights are called {name!r}; the names are: {known}")
