"""Finds the parts of a segmented video to check: runs of frames on which the mask of an object is unreliable."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from livos.files.names import files_by_stem
from livos.masks.confidence_notes import read_confidence

THRESHOLD = 0.5
"""A mask with less confidence, which is the expected overlap (J) with the true mask, is doubtful."""

_BRIDGED = 2  # this many good frames do not interrupt a run


@dataclass(frozen=True)
class DoubtfulRun:
    """Frames, by name, on which an object should be checked."""

    object_id: int
    first: str
    last: str
    num_frames: int
    least: float  # the lowest confidence in the run

    def __str__(self) -> str:
        frames = f"frame {self.first}" if self.num_frames == 1 else f"frames {self.first} to {self.last}"
        return f"check {frames} of object {self.object_id} (confidence down to {self.least:.2f})"


def doubtful_runs(mask_dir: Path) -> list[DoubtfulRun]:
    """The runs in a folder of masks that LiVOS wrote, the least confident first.

    Raises:
        ValueError: If a mask is damaged.
        OSError: If the folder cannot be read.
    """
    masks, _ = files_by_stem(mask_dir, (".png",))
    noted = [(name, read_confidence(path)) for name, path in masks.items()]
    object_ids = sorted({object_id for _, values in noted for object_id in values})
    runs = [run for object_id in object_ids for run in _runs_of(object_id, noted)]
    return sorted(runs, key=lambda run: run.least)


def _runs_of(object_id: int, noted: list[tuple[str, dict[int, float]]]) -> Iterator[DoubtfulRun]:
    low = [
        (place, values[object_id]) for place, (_, values) in enumerate(noted) if values.get(object_id, 1) < THRESHOLD
    ]
    group: list[tuple[int, float]] = []
    for entry in [*low, None]:
        if group and (entry is None or entry[0] > group[-1][0] + 1 + _BRIDGED):
            first, last = group[0][0], group[-1][0]
            least = min(value for _, value in group)
            yield DoubtfulRun(object_id, noted[first][0], noted[last][0], last - first + 1, least)
            group = []
        if entry is not None:
            group.append(entry)
