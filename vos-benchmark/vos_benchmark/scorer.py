"""Scores frames as they are predicted, without files."""

from typing import Any

import numpy as np

from .assembly import assemble
from .errors import ScoringError
from .groups import Groups
from .masks import VOID
from .metrics import FrameScore, score_frame
from .names import frame_order
from .protocols import VOID_POLICIES, VideoScores, find_protocol, without_void
from .results import Result
from .version import VERSION


class Scorer:
    """Collects true and predicted labels frame by frame and summarises their scores.

    Frames may come in any order; they are sorted by name, and numbers in names by value. Add every frame that has a
    true mask, including the first and the last: which of them count is decided at the end.

    Args:
        protocol: One of `protocols.PROTOCOLS`.
        all_frames: Also count the first and last frame of each video.
        void: "background", "ignore" or "object"; None for the protocol's default.
        groups: Seen and unseen names, for lvos and youtube.
    """

    def __init__(
        self,
        protocol: str = "vos-benchmark",
        *,
        all_frames: bool = False,
        void: str | None = None,
        groups: Groups | None = None,
    ) -> None:
        self._protocol = find_protocol(protocol)
        self._all_frames = all_frames
        self._void = choose_void_policy(void, self._protocol.void)
        self._groups = groups
        self._scores: dict[str, dict[str, FrameScore]] = {}
        self._with_void: set[tuple[str, str]] = set()  # (video, frame) whose truth has id 255

    def add(self, video: str, frame: str | int, truth: np.ndarray, prediction: np.ndarray) -> FrameScore:
        """Scores one frame.

        Args:
            video: The name of the video.
            frame: The name or number of the frame.
            truth, prediction: Ids (H, W), non-negative integers, 0 for background.

        Returns:
            J and F of the objects on the frame.

        Raises:
            ScoringError: If the frame was added before, or the maps differ in size or are not ids.
        """
        where = f"{video}, frame {frame}"
        if str(frame) in self._scores.get(video, {}):
            raise ScoringError(f"{where}: given twice")
        truth, prediction = _as_labels(truth, f"{where}: truth"), _as_labels(prediction, f"{where}: prediction")
        if truth.shape != prediction.shape:
            raise ScoringError(f"{where}: truth is {truth.shape}, but the prediction is {prediction.shape}")
        counted_truth, counted_prediction = without_void(truth, prediction, self._void)
        scores = score_frame(counted_truth, counted_prediction)
        self._scores.setdefault(video, {})[str(frame)] = scores
        if counted_truth is not truth or VOID in scores.truth_ids:
            self._with_void.add((video, str(frame)))
        return scores

    def merge(self, other: "Scorer") -> None:
        """Adds the frames of another scorer with the same settings, such as that of another process.

        Raises:
            ScoringError: If the other one has other settings, or a frame was added to both.
        """
        mine, theirs = ((s._protocol, s._all_frames, s._void, s._groups) for s in (self, other))
        if mine != theirs:
            raise ScoringError("scorers with different settings cannot be merged")
        for video, frames in other._scores.items():
            if twice := self._scores.get(video, {}).keys() & frames.keys():
                raise ScoringError(f"{video}, frame {min(twice)}: given twice")
        for video, frames in other._scores.items():
            self._scores.setdefault(video, {}).update(frames)
        self._with_void |= other._with_void

    def result(self) -> Result:
        """The scores of all frames so far; more can be added afterwards."""
        settings = describe_settings(protocol=self._protocol.name, all_frames=self._all_frames, void=self._void)
        videos = [self._video(name, frames) for name, frames in self._scores.items()]
        return assemble(videos, self._protocol, self._groups, settings)

    def _video(self, name: str, frames: dict[str, FrameScore]) -> VideoScores:
        order = sorted(frames, key=frame_order)
        scored = order if self._all_frames else order[1:-1]
        with_void = [frames[frame].truth_ids for frame in order if (name, frame) in self._with_void]
        return VideoScores(
            name=name,
            frames=scored,
            scores=[frames[frame] for frame in scored],
            truth_ids=set().union(*(score.truth_ids for score in frames.values())),
            first_truth_ids=frames[order[0]].truth_ids,
            void_frames=len(with_void),
            only_void_frames=sum(not ids - {VOID} for ids in with_void),
        )


def _as_labels(labels: np.ndarray, what: str) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "bui":
        raise ScoringError(f"{what}: expected integers (H, W), found {labels.dtype} {labels.shape}")
    if labels.dtype.kind == "i" and labels.size and labels.min() < 0:
        raise ScoringError(f"{what}: expected ids from 0 on, found {labels.min()}")
    small = labels.dtype.kind == "b" or labels.dtype.itemsize == 1
    return labels.astype(np.uint8 if small else np.int64, copy=False)


def choose_void_policy(void: str | None, default: str) -> str:
    """The requested policy, or the protocol's default."""
    if void is None:
        return default
    if void not in VOID_POLICIES:
        raise ScoringError(f"void={void!r}: expected one of {', '.join(VOID_POLICIES)}")
    return void


def describe_settings(*, protocol: str, all_frames: bool, void: str, **others: Any) -> dict[str, Any]:
    """What a result records about how it was computed."""
    return {
        "tool": "vos-benchmark",
        "version": VERSION,
        "protocol": protocol,
        "first_and_last_frame": "scored" if all_frames else "skipped",
        "void": void,
        **others,
    }
