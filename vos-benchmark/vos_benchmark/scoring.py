"""Scoring of two folders of masks."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .assembly import assemble
from .blending import blended_ids
from .contours import joint_box
from .errors import ScoringError
from .groups import Names, read_groups
from .inspection import FrameFiles, Inspection, VideoFiles, inspect_folders
from .masks import VOID, read_header, read_labels
from .metrics import FrameScore, score_frame
from .protocols import VideoScores, find_protocol, without_void
from .results import Result
from .scorer import choose_void_policy, describe_settings
from .workers import run_tasks

MISSING_POLICIES = ("error", "empty")
_BLENDED = "antialiased, resized with interpolation or compressed with loss; its values are no ids"
_BLENDED_TRUTH, _BLENDED_PREDICTION = 8, 3  # so many odd values on one frame are no accident
_CHUNK = 24  # frames; a task should take long enough to be worth sending, and be short enough to share a video


@dataclass(frozen=True)
class Chunk:
    """Some frames of a video, scored by one process."""

    video: str
    frames: tuple[FrameFiles, ...]
    void: str

    def __str__(self) -> str:
        return f"{self.video}, frames {self.frames[0].name} to {self.frames[-1].name}"


@dataclass(frozen=True)
class FrameReading:
    """What reading and scoring the masks of a frame found out.

    Attributes:
        score: None where the frame is not scored or could not be read.
        truth_ids: ids of the truth.
        problem: why the frame could not be scored; empty if it could.
        has_void: the truth has pixels of id 255.
        only_prediction_coloured: the prediction has ids that the truth of the frame lacks, and it alone is an RGB file.
        blended_truth, blended_prediction: ids that look like the product of interpolation.
    """

    score: FrameScore | None = None
    truth_ids: frozenset[int] = frozenset()
    problem: str = ""
    has_void: bool = False
    only_prediction_coloured: bool = False
    blended_truth: tuple[int, ...] = ()
    blended_prediction: tuple[int, ...] = ()


def score(
    truth: str | Path,
    prediction: str | Path,
    *,
    protocol: str = "vos-benchmark",
    processes: int = 1,
    strict: bool = False,
    all_frames: bool = False,
    void: str | None = None,
    missing: str = "error",
    seen: Names | None = None,
    unseen: Names | None = None,
    meta: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Scores the masks of a folder `<video>/<frame>.png` against those of another.

    Args:
        truth, prediction: the folders.
        protocol: "vos-benchmark", "davis2017", "lvos" or "youtube".
        processes: how many to use. More than one needs `if __name__ == "__main__":` around the calling program where
            processes are not forked (Windows, macOS).
        strict: both sides must have the same videos; otherwise those that both have are scored.
        all_frames: score the first and last frame of a video too.
        void: "background", "ignore" or "object"; None for what the protocol does.
        missing: "error", or "empty" to score a missing predicted mask as empty.
        seen, unseen: names of videos, objects (`video/id`) or categories, or files with them, for lvos and youtube.
        meta: `meta.json` of the data set, for the category of each object.
        progress: called with the number of frames done and of all.

    Raises:
        ScoringError: lists everything that keeps the masks from being scored.
    """
    rules = find_protocol(protocol)
    policy = choose_void_policy(void, rules.void)
    if missing not in MISSING_POLICIES:
        raise ScoringError(f"missing={missing!r}: expected one of {', '.join(MISSING_POLICIES)}")
    groups = read_groups(seen, unseen, meta) if rules.grouped else None
    found = inspect_folders(truth, prediction, all_frames=all_frames, strict=strict, missing=missing)
    videos, notes = _score_videos(found, policy, processes, progress)
    settings = describe_settings(
        protocol=protocol,
        all_frames=all_frames,
        void=policy,
        missing=missing,
        strict=strict,
        truth=str(truth),
        prediction=str(prediction),
        **{name: _plain(value) for name, value in (("seen", seen), ("unseen", unseen), ("meta", meta)) if value},
    )
    return assemble(videos, rules, groups, settings, found.notes + notes, len(found.missing_videos))


def _plain(value: Names) -> str | list[str]:
    return str(value) if isinstance(value, str | Path) else sorted(value)


def _score_videos(
    found: Inspection, void: str, processes: int, progress: Callable[[int, int], None] | None
) -> tuple[list[VideoScores], list[str]]:
    chunks = [
        Chunk(video.name, video.frames[start : start + _CHUNK], void)
        for video in found.videos
        for start in range(0, len(video.frames), _CHUNK)
    ]
    _keep_freed_memory()
    readings: dict[int, list[FrameReading]] = {}
    done, total = 0, sum(len(chunk.frames) for chunk in chunks)
    with contextlib.closing(run_tasks(score_chunk, chunks, processes, str)) as outcomes:
        for index, outcome in outcomes:
            readings[index] = outcome
            done += len(outcome)
            if progress is not None:
                progress(done, total)
    in_order = iter(reading for index in sorted(readings) for reading in readings[index])
    by_video = [(video, [next(in_order) for _ in video.frames]) for video in found.videos]
    problems = [problem for video, frames in by_video for problem in _problems(video, frames)]
    if problems:
        raise ScoringError(problems)
    return [_video_scores(video, frames) for video, frames in by_video], _void_notes(by_video, void)


def _keep_freed_memory() -> None:
    """Makes glibc reuse the memory of one frame for the next instead of returning it to the system (a fifth faster).

    Its limits for doing so follow the largest block that was freed (mallopt(3), M_MMAP_THRESHOLD); elsewhere this does
    nothing. The block is never touched, and forked processes inherit the limits.
    """
    np.empty(31 << 20, np.uint8)


def score_chunk(chunk: Chunk) -> list[FrameReading]:
    """Reads and scores each frame of a chunk; what a worker process does."""
    return [_reading(frame, chunk.void) for frame in chunk.frames]


def _reading(frame: FrameFiles, void: str) -> FrameReading:
    try:
        return _read_and_score(frame, void)
    except ScoringError as error:
        return FrameReading(problem=str(error))


def _read_and_score(frame: FrameFiles, void: str) -> FrameReading:
    stored_truth = read_labels(frame.truth)
    if frame.prediction is None:
        prediction = np.zeros_like(stored_truth)
    else:
        prediction = read_labels(frame.prediction, palette_path=frame.truth)
    truth, prediction = without_void(stored_truth, prediction, void)
    has_void = truth is not stored_truth
    if not frame.scored:
        return FrameReading(truth_ids=_ids_in(truth), has_void=has_void)
    scores = score_frame(truth, prediction)
    extra = scores.predicted_ids - scores.truth_ids
    return FrameReading(
        score=scores,
        truth_ids=frozenset(scores.truth_ids),
        has_void=has_void,
        only_prediction_coloured=bool(extra) and _only_prediction_coloured(frame),
        blended_truth=blended_ids(truth, scores.truth_ids) if len(scores.truth_ids) >= _BLENDED_TRUTH else (),
        blended_prediction=blended_ids(prediction, extra) if len(extra) >= _BLENDED_PREDICTION else (),
    )


def _ids_in(labels: np.ndarray) -> frozenset[int]:
    box = joint_box(labels, labels)
    return frozenset(np.unique(labels[box]).tolist()) - {0}


def _only_prediction_coloured(frame: FrameFiles) -> bool:
    if frame.prediction is None:
        return False
    return read_header(frame.prediction).coloured and not read_header(frame.truth).coloured


def _problems(video: VideoFiles, readings: list[FrameReading]) -> Iterator[str]:
    """What keeps a video from being scored, now that all its true ids are known."""
    truth_ids = frozenset().union(*(reading.truth_ids for reading in readings))
    for frame, reading in zip(video.frames, readings, strict=True):
        if reading.problem:
            yield reading.problem
        if len(reading.blended_truth) >= _BLENDED_TRUTH:
            yield f"{frame.truth}: {_BLENDED} ({_shown(reading.blended_truth)})"
        if reading.score is None:
            continue
        unknown = reading.score.predicted_ids - truth_ids
        blended = unknown.intersection(reading.blended_prediction)
        if len(blended) >= _BLENDED_PREDICTION:
            yield f"{frame.prediction}: {_BLENDED} ({_shown(blended)}, which the truth never has)"
        elif unknown and reading.only_prediction_coloured:
            yield (
                f"{frame.prediction}: an RGB mask whose colours are neither ids of the truth, as R + 256 G + 65536 B, "
                f"nor in its palette (read as ids, they are {_shown(unknown)})"
            )


def _shown(ids: Iterable[int]) -> str:
    ids = sorted(ids)
    return ", ".join(map(str, ids[:5])) + (" …" if len(ids) > 5 else "")


def _video_scores(video: VideoFiles, readings: list[FrameReading]) -> VideoScores:
    scored = [(frame.name, r.score) for frame, r in zip(video.frames, readings, strict=True) if r.score is not None]
    return VideoScores(
        name=video.name,
        frames=[name for name, _ in scored],
        scores=[frame_score for _, frame_score in scored],
        truth_ids=set().union(*(reading.truth_ids for reading in readings)),
        first_truth_ids=set(readings[0].truth_ids),
    )


def _void_notes(by_video: list[tuple[VideoFiles, list[FrameReading]]], policy: str) -> list[str]:
    frames = [reading for _, readings in by_video for reading in readings]
    if policy == "object":
        count = sum(VOID in reading.truth_ids and len(reading.truth_ids) > 1 for reading in frames)
        meaning = "scored as an object like any other"
    else:
        count = sum(reading.has_void for reading in frames)
        meaning = "background of the truth" if policy == "background" else "left out of truth and prediction"
    return [f"{count} true masks have pixels of id {VOID}: {meaning}"] if count else []
