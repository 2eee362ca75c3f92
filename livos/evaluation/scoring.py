"""J&F of an evaluation's masks, computed in a thread while the network works on the next frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livos.config.schema import TestSetConfig
from livos.evaluation.sets import locate
from livos.evaluation.video import TestVideo
from livos.files.names import files_by_stem, some_of
from livos.masks.label_maps import read_labels
from livos.pipeline.frames import SegmentedFrame
from livos.pipeline.outputs import VideoOutput
from livos.video.video_file import Frame

if TYPE_CHECKING:
    from vos_benchmark import Scorer


class Truth:
    """The true masks of a test set."""

    def __init__(self, settings: TestSetConfig, asked_by: str = "score=true") -> None:
        """asked_by: what needs them, for messages.

        Raises:
            ValueError: If the set has no true masks.
            ImportError: If the scoring package is missing.
        """
        new_scorer(asked_by)
        folder = locate(settings.truth_directory) if settings.truth_directory else None
        if folder is None:
            place = f"truth_directory={settings.truth_directory}"
            raise ValueError(f"{asked_by}: dataset={settings.dataset_name} has no true masks at {place}")
        self._folder, self._void_id, self._colours = folder, settings.void_id, settings.colour_masks

    def of(self, video: TestVideo) -> dict[str, Path]:
        """The true masks of a video, by frame.

        Raises:
            ValueError: If there are none, or there are some for frames that are not segmented.
            OSError: If the folder is missing.
        """
        folder = self._folder / video.name
        files, faults = files_by_stem(folder, (".png",))
        if not files:
            faults.append(f"{folder}: contains no true masks")
        if without_mask := [name for name in files if name not in set(video.saved_names)]:
            faults.append(f"{folder}: true masks of frames that were not written: {some_of(without_mask)}")
        if faults:
            raise ValueError("; ".join(faults))
        return files

    def scores(self, video: TestVideo) -> VideoScores:
        """An output that scores the video while it is segmented."""
        return VideoScores(self, video)

    def read(self, path: Path) -> Any:
        """(H, W) true labels."""
        return read_labels(path, void_id=self._void_id, colours=self._colours).labels


class VideoScores(VideoOutput):
    """The scores of one video. If it cannot be scored, `problem` says why, and its masks are written all the same."""

    def __init__(self, truth: Truth, video: TestVideo) -> None:
        self.video_name, self.scorer = video.name, new_scorer()
        self.problem: str | None = None
        self._truth = truth
        try:
            self._paths: Mapping[str, Path] = truth.of(video)
        except (ValueError, OSError) as error:
            self.problem = str(error)

    def write(self, item: SegmentedFrame) -> None:
        if self.problem is not None or item.frame.name not in self._paths:
            return
        path = self._paths[item.frame.name]
        try:
            truth = self._truth.read(path)
        except (ValueError, OSError) as error:
            self.problem = str(error)
            return
        if truth.shape != item.labels.shape:
            (height, width), (true_height, true_width) = item.labels.shape, truth.shape
            self.problem = f"{path}: {true_width} x {true_height} pixels, expected {width} x {height}"
            return
        self.scorer.add(self.video_name, item.frame.name, truth, item.labels)


def frames_without_images(video: TestVideo) -> Iterator[Frame]:
    """The frames whose masks are written, to score them without reading the images."""
    for number, name in enumerate(video.saved_names):
        yield Frame(number, name, number, None)


def new_scorer(asked_by: str = "score=true") -> Scorer:
    """A scorer by the published rules, without the first and the last frame."""
    try:
        from vos_benchmark import Scorer
    except ImportError as error:
        raise ImportError(f"{asked_by} needs the scoring package: pip install ./vos-benchmark") from error
    return Scorer()


def joined_scores(scorers: Sequence[Scorer], void_id: int | None = None) -> dict[str, Any]:
    """J&F, J, F and so on, 0 to 1, over all objects and by video. Raises ValueError if there is nothing to score.

    void_id: the value of true masks that was treated as background, for a note.
    """
    total = new_scorer()
    for scorer in scorers:
        total.merge(scorer)
    result = total.result()
    by_video = {video.name: video.measures for video in result.videos if video.objects}
    return {**result.measures, "videos": by_video, "notes": [*result.notes, *_void_note(void_id)]}


def _void_note(void_id: int | None) -> list[str]:
    if void_id is None:
        return []
    return [f"{void_id} in the true masks is void in this set: background here, as with livos score --void background"]
