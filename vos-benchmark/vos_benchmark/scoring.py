"""Scores a folder of masks against another."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .assembly import assemble
from .errors import ScoringError
from .faults import problems_of
from .frames import Chunk, FrameReading, ReadingRules, score_chunk
from .groups import Names, read_groups
from .inspection import Inspection, VideoFiles, inspect_folders
from .masks import VOID
from .palettes import PALETTE_POLICIES
from .png import MAX_PIXELS
from .protocols import VideoScores, find_protocol
from .results import Result
from .scorer import choose_void_policy, describe_settings
from .workers import run_tasks

MISSING_POLICIES = ("error", "empty")
_CHUNK = 24  # frames: long enough to be worth sending to a process, short enough to divide a video


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
    palettes: str = "check",
    max_pixels: int = MAX_PIXELS,
    seen: Names | None = None,
    unseen: Names | None = None,
    meta: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Scores the masks of a folder `<video>/<frame>.png` against those of another.

    Args:
        truth, prediction: The folders.
        protocol: "vos-benchmark", "davis2017", "lvos" or "youtube".
        processes: How many to use. More than one needs `if __name__ == "__main__":` around the calling program where
            processes are not forked (Windows, macOS).
        strict: Require the same videos on both sides; otherwise only common ones are scored.
        all_frames: Also score the first and last frame of a video.
        void: "background", "ignore" or "object"; None for the protocol's default.
        missing: "error", or "empty" to score a missing predicted mask as empty.
        palettes: "check" to refuse masks whose palettes contradict each other, or "ignore".
        max_pixels: A mask that claims more is refused before it is decompressed.
        seen, unseen: Names of videos, objects (`video/id`) or categories, or files with them, for lvos and youtube.
        meta: `meta.json` of the data set, for the category of each object.
        progress: Called with the numbers of finished and of all frames.

    Raises:
        ScoringError: If the masks cannot be scored; it lists all reasons.
    """
    rules = find_protocol(protocol)
    policy = choose_void_policy(void, rules.void)
    _check_choice("missing", missing, MISSING_POLICIES)
    _check_choice("palettes", palettes, PALETTE_POLICIES)
    groups = read_groups(seen, unseen, meta) if rules.grouped else None
    found = inspect_folders(
        truth, prediction, all_frames=all_frames, strict=strict, missing=missing, max_pixels=max_pixels
    )
    videos = _score_videos(found, ReadingRules(policy, palettes, max_pixels), processes, progress)
    settings = describe_settings(
        protocol=protocol,
        all_frames=all_frames,
        void=policy,
        missing=missing,
        strict=strict,
        palettes=palettes,
        max_pixels=max_pixels,
        truth=str(truth),
        prediction=str(prediction),
        **{name: _plain(value) for name, value in (("seen", seen), ("unseen", unseen), ("meta", meta)) if value},
    )
    return assemble(videos, rules, groups, settings, found.notes, len(found.missing_videos))


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ScoringError(f"{name}={value!r}: expected one of {', '.join(choices)}")


def _plain(value: Names) -> str | list[str]:
    return str(value) if isinstance(value, str | Path) else sorted(value)


def _score_videos(
    found: Inspection, rules: ReadingRules, processes: int, progress: Callable[[int, int], None] | None
) -> list[VideoScores]:
    chunks = [
        Chunk(video.name, video.frames[start : start + _CHUNK], rules)
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
    problems = [problem for video, frames in by_video for problem in problems_of(video, frames)]
    if problems:
        raise ScoringError(problems)
    return [_video_scores(video, frames) for video, frames in by_video]


def _keep_freed_memory() -> None:
    """Makes glibc reuse the memory of one frame for the next instead of returning it to the system (a fifth faster).

    Its limits for this follow the largest freed block (mallopt(3), M_MMAP_THRESHOLD); elsewhere this does nothing. The
    block is never touched, and forked processes inherit the limits.
    """
    np.empty(31 << 20, np.uint8)


def _video_scores(video: VideoFiles, readings: list[FrameReading]) -> VideoScores:
    scored = [(frame.name, r.score) for frame, r in zip(video.frames, readings, strict=True) if r.score is not None]
    return VideoScores(
        name=video.name,
        frames=[name for name, _ in scored],
        scores=[frame_score for _, frame_score in scored],
        truth_ids=set().union(*(reading.truth_ids for reading in readings)),
        first_truth_ids=set(readings[0].truth_ids),
        void_frames=sum(reading.has_void for reading in readings),
        only_void_frames=sum(reading.has_void and not reading.truth_ids - {VOID} for reading in readings),
    )
