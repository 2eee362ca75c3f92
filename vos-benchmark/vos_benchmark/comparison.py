"""Compares two results, object by object."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import summaries
from .errors import ScoringError
from .stored_results import SCORES, StoredResult, read_result
from .terminal import printable

_COMPARABLE = ("protocol", "first_and_last_frame", "void", "missing")


@dataclass(frozen=True)
class ObjectDifference:
    """J&F of an object in both results."""

    video: str
    id: str
    before: float
    after: float

    @property
    def change(self) -> float:
        return self.after - self.before


@dataclass(frozen=True)
class Comparison:
    """What changed from result A to result B, over the objects that both have.

    Attributes:
        objects: By change of J&F, the worst regression first.
        means: The mean of each of J&F, J and F in A and in B; of seen and unseen objects if they are distinguished.
        intervals: 95 % paired bootstrap interval of the difference of the means B - A.
        better: The share of bootstrap samples in which B has the higher J&F.
        notes: Objects that only one result has, and settings that differ.
    """

    objects: tuple[ObjectDifference, ...]
    means: dict[str, tuple[float, float]]
    intervals: dict[str, tuple[float, float]]
    better: float
    notes: tuple[str, ...]


def compare(path_a: str | Path, path_b: str | Path) -> Comparison:
    """Compares two files written with --json.

    Raises:
        ScoringError: If a file was not written with --json, or they have no object in common.
    """
    first, second = read_result(path_a), read_result(path_b)
    sides = (first.objects, second.objects)
    common = [key for key in first.objects if key in second.objects]
    if not common:
        raise ScoringError(f"{path_a} and {path_b} have no object in common")
    values = np.array([[side[key].scores for key in common] for side in sides])  # (2, N, 3)
    groups = np.array([str(second.objects[key].group) for key in common])
    strata = [values[:, groups == name] for name in np.unique(groups)]
    means = np.mean([stratum.mean(axis=1) for stratum in strata], axis=0)
    resampled = summaries.resampled_means([stratum[1] - stratum[0] for stratum in strata])
    low, high = summaries.interval(resampled)
    objects = (
        ObjectDifference(video, id, float(values[0, i, 0]), float(values[1, i, 0]))
        for i, (video, id) in enumerate(common)
    )
    return Comparison(
        objects=tuple(sorted(objects, key=lambda item: item.change)),
        means={name: (float(means[0, i]), float(means[1, i])) for i, name in enumerate(SCORES)},
        intervals={name: (float(low[i]), float(high[i])) for i, name in enumerate(SCORES)},
        better=float((resampled[:, 0] > 0).mean()),
        notes=tuple(_notes(first, second, *(set(side) - set(common) for side in sides))),
    )


def _notes(first: StoredResult, second: StoredResult, only_a: set, only_b: set) -> list[str]:
    notes = [
        f"different settings: {name} is {first.settings.get(name)} in A and {second.settings.get(name)} in B"
        for name in _COMPARABLE
        if first.settings.get(name) != second.settings.get(name)
    ]
    for label, keys in (("A", only_a), ("B", only_b)):
        if keys:
            video, id = min(keys)
            notes.append(f"{len(keys)} objects are only in {label} and not compared, such as {video} {id}")
    return notes


def comparison_text(comparison: Comparison, top: int) -> str:
    """The comparison as text, in percent, with the `top` worst regressions and best improvements."""
    lines = [f"{'':<6}{'A':>8}{'B':>8}{'B - A':>9}   95 % interval (paired bootstrap over objects)"]
    for name, (before, after) in comparison.means.items():
        low, high = comparison.intervals[name]
        lines.append(
            f"{name:<6}{100 * before:8.2f}{100 * after:8.2f}{100 * (after - before):+9.2f}"
            f"   {100 * low:+.2f} to {100 * high:+.2f}"
        )
    changes = [item.change for item in comparison.objects]
    lines += [
        "",
        f"{len(changes)} objects: {sum(c > 0 for c in changes)} better, {sum(c < 0 for c in changes)} worse, "
        f"{sum(c == 0 for c in changes)} equal; B is better in {100 * comparison.better:.1f} % of the samples",
    ]
    lines += _listing("worst regressions", [item for item in comparison.objects if item.change < 0][:top])
    lines += _listing("best improvements", [item for item in reversed(comparison.objects) if item.change > 0][:top])
    return "\n".join(lines)


def _listing(title: str, items: list[ObjectDifference]) -> list[str]:
    if not items:
        return []
    names = [(printable(item.video), printable(item.id)) for item in items]
    width = max(len(video) for video, _ in names)
    return ["", f"{title} (J&F)"] + [
        f"  {video:<{width}} {id:>4}{100 * item.before:8.2f}{100 * item.after:8.2f}{100 * item.change:+9.2f}"
        for item, (video, id) in zip(items, names, strict=True)
    ]


def comparison_json(comparison: Comparison) -> str:
    """The comparison at full precision, from 0 to 1."""
    document = {
        "means": {name: {"A": a, "B": b, "B-A": b - a} for name, (a, b) in comparison.means.items()},
        "intervals_95": comparison.intervals,
        "share_of_samples_where_B_is_better": comparison.better,
        "notes": comparison.notes,
        "objects": [
            {"sequence": item.video, "obj": item.id, "A": item.before, "B": item.after, "B-A": item.change}
            for item in comparison.objects
        ],
    }
    return json.dumps(document, indent=1) + "\n"
