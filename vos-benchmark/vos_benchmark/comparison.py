"""Two results, object by object."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import summaries
from .errors import ScoringError

_MEASURES = ("J&F", "J", "F")
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
        objects: by change of J&F, the worst regression first.
        means: mean of each of J&F, J and F in A and in B; of seen and unseen objects where they are told apart.
        intervals: 95 % paired bootstrap interval of the difference of the means B - A.
        better: share of bootstrap samples in which B has the higher J&F.
        notes: objects that only one result has, settings that differ.
    """

    objects: tuple[ObjectDifference, ...]
    means: dict[str, tuple[float, float]]
    intervals: dict[str, tuple[float, float]]
    better: float
    notes: tuple[str, ...]


def compare(path_a: str | Path, path_b: str | Path) -> Comparison:
    """Compares two files written with --json.

    Raises:
        ScoringError: a file is not such a file, or they have no object in common.
    """
    first, second = _read_result(path_a), _read_result(path_b)
    scores = [_objects_of(first), _objects_of(second)]
    common = [key for key in scores[0] if key in scores[1]]
    if not common:
        raise ScoringError(f"{path_a} and {path_b} have no object in common")
    values = np.array([[[side[key][name] for name in _MEASURES] for key in common] for side in scores])  # (2, N, 3)
    groups = np.array([str(scores[1][key].get("group")) for key in common])
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
        means={name: (float(means[0, i]), float(means[1, i])) for i, name in enumerate(_MEASURES)},
        intervals={name: (float(low[i]), float(high[i])) for i, name in enumerate(_MEASURES)},
        better=float((resampled[:, 0] > 0).mean()),
        notes=tuple(_notes(first, second, *(set(side) - set(common) for side in scores))),
    )


def _read_result(path: str | Path) -> dict[str, Any]:
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ScoringError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise ScoringError(f"{path}: not JSON ({error})") from error
    if not isinstance(document, dict) or document.get("settings", {}).get("tool") != "vos-benchmark":
        raise ScoringError(f"{path}: expected a file that this tool wrote with --json")
    return document


def _objects_of(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """What is known of each object, by (video, id)."""
    return {(name, id): item for name, video in document["videos"].items() for id, item in video["objects"].items()}


def _notes(first: dict[str, Any], second: dict[str, Any], only_a: set, only_b: set) -> list[str]:
    notes = [
        f"different settings: {name} is {first['settings'].get(name)} in A and {second['settings'].get(name)} in B"
        for name in _COMPARABLE
        if first["settings"].get(name) != second["settings"].get(name)
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
    width = max(len(item.video) for item in items)
    return ["", f"{title} (J&F)"] + [
        f"  {item.video:<{width}} {item.id:>4}{100 * item.before:8.2f}{100 * item.after:8.2f}{100 * item.change:+9.2f}"
        for item in items
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
