"""Scores of objects, videos and a whole data set, from 0 to 1."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from . import summaries
from .groups import SEEN, UNSEEN

MEASURES = ("J&F", "J", "F", "J_recall", "F_recall", "J_decay", "F_decay")


@dataclass(frozen=True)
class ObjectResult:
    """One object of a video, with J and F for each of its frames."""

    video: str
    id: int
    frames: tuple[str, ...]
    J_per_frame: tuple[float, ...]
    F_per_frame: tuple[float, ...]
    group: str | None = None

    @cached_property
    def measures(self) -> dict[str, float]:
        """The numbers named in MEASURES."""
        region, boundary = float(np.mean(self.J_per_frame)), float(np.mean(self.F_per_frame))
        return {
            "J&F": (region + boundary) / 2,
            "J": region,
            "F": boundary,
            "J_recall": summaries.recall(self.J_per_frame),
            "F_recall": summaries.recall(self.F_per_frame),
            "J_decay": summaries.decay(self.J_per_frame),
            "F_decay": summaries.decay(self.F_per_frame),
        }

    @property
    def first_failure(self) -> str | None:
        """The frame from which J stays below 0.1 to the end, if there is one."""
        index = summaries.first_failure(self.J_per_frame)
        return None if index is None else self.frames[index]


@dataclass(frozen=True)
class VideoResult:
    """The objects of a video; `frames` are those scored."""

    name: str
    frames: tuple[str, ...]
    objects: tuple[ObjectResult, ...]

    @cached_property
    def measures(self) -> dict[str, float]:
        """Means over the objects; NaN if there are none."""
        return mean_measures(self.objects)


@dataclass(frozen=True)
class Result:
    """The score of a data set.

    Attributes:
        settings: What was scored and how, as plain values.
        videos: The videos, in order of name.
        notes: What the reader should know: missing videos, ids that the truth never has …
        videos_in_truth: How many videos there are to score.
    """

    settings: dict[str, Any]
    videos: tuple[VideoResult, ...]
    notes: tuple[str, ...]
    videos_in_truth: int

    @property
    def objects(self) -> list[ObjectResult]:
        return [item for video in self.videos for item in video.objects]

    @property
    def is_partial(self) -> bool:
        """Whether videos of the truth were not scored."""
        return len(self.videos) < self.videos_in_truth

    @cached_property
    def groups(self) -> dict[str, list[ObjectResult]]:
        """Seen and unseen objects, for a protocol that distinguishes them; otherwise empty."""
        if all(item.group is None for item in self.objects):
            return {}
        return {name: [item for item in self.objects if item.group == name] for name in (SEEN, UNSEEN)}

    @cached_property
    def group_measures(self) -> dict[str, dict[str, float]]:
        """Means over the objects of each group."""
        return {name: mean_measures(group) for name, group in self.groups.items()}

    @cached_property
    def measures(self) -> dict[str, float]:
        """Means over objects; with groups, the mean of their means, so that J&F is the mean of four numbers."""
        return _mean_of([mean_measures(group) for group in self._strata])

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % bootstrap confidence intervals over objects of J&F, J and F; empty if a group has fewer than two."""
        if any(len(group) < 2 for group in self._strata):
            return {}
        names = MEASURES[:3]
        values = [np.array([[item.measures[name] for name in names] for item in group]) for group in self._strata]
        low, high = summaries.interval(summaries.resampled_means(values))
        return {name: (float(low[i]), float(high[i])) for i, name in enumerate(names)}

    @property
    def J_and_F(self) -> float:
        return self.measures["J&F"]

    @property
    def J(self) -> float:
        return self.measures["J"]

    @property
    def F(self) -> float:
        return self.measures["F"]

    @property
    def _strata(self) -> list[list[ObjectResult]]:
        return list(self.groups.values()) or [self.objects]


def mean_measures(objects: Iterable[ObjectResult]) -> dict[str, float]:
    """The mean of each of MEASURES over objects; NaN if there are none."""
    return _mean_of([item.measures for item in objects])


def _mean_of(measures: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([m[name] for m in measures])) if measures else math.nan for name in MEASURES}
