"""Masks that show no object."""

from __future__ import annotations

from pathlib import Path

from livos.masks.label_maps import read_labels

VOID = 255


def is_empty(path: Path, void_id: int | None = VOID) -> bool:
    """Whether a mask contains only background and void. In a binary mask (only 0 and 255), 255 is an object."""
    mask = read_labels(path)
    if mask.coding.kind in ("binary", "bilevel") or void_id is None:
        return not mask.labels.any()
    return not mask.labels[mask.labels != void_id].any()
