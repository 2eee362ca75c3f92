"""Which objects and frames count, and how void is treated: the rules in which evaluations differ."""

from dataclasses import dataclass

import numpy as np

from .errors import ScoringError
from .masks import VOID
from .metrics import FrameScore

VOID_POLICIES = ("background", "ignore", "object")


@dataclass(frozen=True)
class Protocol:
    """How the objects of a video are chosen and averaged.

    Attributes:
        name: The name for --protocol.
        numbered: Objects are 1..highest id of the first true mask, on all frames, and higher predicted ids are an
            error; otherwise objects are the ids that the truth shows on a scored frame, each counted from the first
            scored frame on which truth or prediction shows it.
        void: How pixels of id 255 in the truth are treated unless the user says otherwise.
        grouped: the score is the mean of four: J and F of seen and of unseen objects.
    """

    name: str
    numbered: bool
    void: str
    grouped: bool


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("vos-benchmark", numbered=False, void="object", grouped=False),
        Protocol("davis2017", numbered=True, void="background", grouped=False),
        Protocol("lvos", numbered=False, void="background", grouped=True),
        Protocol("youtube", numbered=False, void="background", grouped=True),
    )
}


def find_protocol(name: str) -> Protocol:
    """The protocol of that name. Raises ScoringError, naming the existing ones, if there is none."""
    if name not in PROTOCOLS:
        raise ScoringError(f"protocol {name!r}: expected one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def without_void(truth: np.ndarray, prediction: np.ndarray, policy: str) -> tuple[np.ndarray, np.ndarray]:
    """Truth and prediction (H, W) with void treated according to `policy`.

    background: void pixels are background in the truth. ignore: they are background in both, so they do not count.
    object: 255 is an id like any other.
    """
    if policy == "object":
        return truth, prediction
    void = truth == VOID
    if not void.any():
        return truth, prediction
    return np.where(void, 0, truth), np.where(void, 0, prediction) if policy == "ignore" else prediction


@dataclass(frozen=True)
class Track:
    """J and F of one object over the frames on which it counts."""

    id: int
    frames: tuple[str, ...]
    region: tuple[float, ...]
    boundary: tuple[float, ...]


@dataclass
class VideoScores:
    """Everything that scoring found about a video.

    Attributes:
        name: the name of the video.
        frames: names of the scored frames, in order.
        scores: one per scored frame.
        truth_ids: ids of the truth on any frame, scored or not.
        first_truth_ids: ids of the truth on the first frame of the video.
        void_frames: how many true masks have pixels of id 255.
        only_void_frames: how many of those have no other id.
    """

    name: str
    frames: list[str]
    scores: list[FrameScore]
    truth_ids: set[int]
    first_truth_ids: set[int]
    void_frames: int = 0
    only_void_frames: int = 0

    @property
    def unknown_ids(self) -> list[int]:
        """Predicted ids that truth never has."""
        return sorted(set().union(*(score.predicted_ids for score in self.scores)) - self.truth_ids)


def tracks_of(video: VideoScores, protocol: Protocol) -> list[Track]:
    """The objects of a video that the protocol counts, by id."""
    return _numbered_tracks(video) if protocol.numbered else _shown_tracks(video)


def _numbered_tracks(video: VideoScores) -> list[Track]:
    highest = max(video.first_truth_ids, default=0)
    if highest > VOID:
        raise ScoringError(f"{video.name}: id {highest} in the first true mask, but davis2017 numbers objects 1 to 255")
    above = [
        f"{video.name}: frame {frame} of the prediction has id {id}, above the {highest} of the first true mask"
        for frame, score in zip(video.frames, video.scores, strict=True)
        for id in sorted(score.predicted_ids)
        if id > highest
    ]
    if above and not highest and video.void_frames:
        hint = "which is void here; --protocol vos-benchmark scores it as an object"
        raise ScoringError(f"{video.name}: the first true mask has no id but 255, {hint}")
    if above:
        raise ScoringError(above)
    return [_track(video, id, first=0) for id in range(1, highest + 1)]


def _shown_tracks(video: VideoScores) -> list[Track]:
    first: dict[int, int] = {}
    reported: set[int] = set()
    for index, score in enumerate(video.scores):
        reported |= score.truth_ids
        for id in score.ids:
            first.setdefault(id, index)
    return [_track(video, id, first[id]) for id in sorted(reported)]


def _track(video: VideoScores, id: int, first: int) -> Track:
    """Scores of an object from one frame on; if neither truth nor prediction shows it, they agree."""
    pairs = [
        (score.region[score.ids.index(id)], score.boundary[score.ids.index(id)]) if id in score.ids else (1.0, 1.0)
        for score in video.scores[first:]
    ]
    return Track(id, tuple(video.frames[first:]), tuple(j for j, _ in pairs), tuple(f for _, f in pairs))
