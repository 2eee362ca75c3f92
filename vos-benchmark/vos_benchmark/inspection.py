"""Inspects the two folders before any scoring: which videos and frames they contain, and whether they match."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from .errors import ScoringError
from .names import counted_otherwise, frame_order
from .png import MAX_PIXELS, read_header


@dataclass(frozen=True)
class FrameFiles:
    """The masks of one frame. `prediction` is None if it is missing (and scored as empty) or not scored at all."""

    name: str
    truth: str
    prediction: str | None
    scored: bool


@dataclass(frozen=True)
class VideoFiles:
    """A video that both folders have, with the frames of the truth in order."""

    name: str
    frames: tuple[FrameFiles, ...]


@dataclass
class Inspection:
    """The videos to score, and remarks about everything that does not match.

    Attributes:
        videos: Those that both folders have.
        missing_videos: Those that only the truth has.
        notes: What the user should know.
        problems: Why the masks cannot be scored.
        without_truth: Predicted masks without a true mask, for example if only some frames are annotated.
    """

    videos: list[VideoFiles] = field(default_factory=list)
    missing_videos: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    without_truth: int = 0


def inspect_folders(
    truth_dir: str | Path,
    prediction_dir: str | Path,
    *,
    all_frames: bool,
    strict: bool,
    missing: str,
    max_pixels: int = MAX_PIXELS,
) -> Inspection:
    """Pairs the masks of two folders `<video>/<frame>.png` and reads the header of each.

    Args:
        truth_dir, prediction_dir: The two folders.
        all_frames: Also score the first and last frame of a video.
        strict: Require the same videos on both sides; otherwise only common ones are scored.
        missing: "error", or "empty" to score a missing predicted mask as empty.
        max_pixels: The most pixels that a mask may have.

    Raises:
        ScoringError: Lists everything that is wrong: missing folders, videos or frames, frames counted from another
            number, unreadable or too large files, differing sizes.
    """
    truth_dir, prediction_dir = Path(truth_dir), Path(prediction_dir)
    _check_folders(truth_dir, prediction_dir)
    found = Inspection()
    for name in _common_videos(truth_dir, prediction_dir, strict, found):
        frames = _pair_frames(truth_dir / name, prediction_dir / name, all_frames, missing, found)
        found.problems += _check_headers(frames, max_pixels)
        found.videos.append(VideoFiles(name, frames))
    if found.problems:
        raise ScoringError(found.problems)
    if found.without_truth:
        found.notes.append(f"{found.without_truth} predicted masks have no true mask and were not scored")
    return found


def _check_folders(truth_dir: Path, prediction_dir: Path) -> None:
    problems = [
        f"{path}: no such folder (the {role})"
        for role, path in (("truth", truth_dir), ("prediction", prediction_dir))
        if not path.is_dir()
    ]
    if problems:
        raise ScoringError(problems)
    if os.path.samefile(truth_dir, prediction_dir):
        raise ScoringError(f"{prediction_dir}: prediction and truth are the same folder")


def _common_videos(truth_dir: Path, prediction_dir: Path, strict: bool, found: Inspection) -> list[str]:
    """Names of the videos that both folders have; those that only one has lead to remarks, or faults if `strict`."""
    truth, predicted = _folders_in(truth_dir), _folders_in(prediction_dir)
    if not truth:
        reason = "contains masks itself; use the folder above it" if any(truth_dir.glob("*.png")) else "has none"
        raise ScoringError(f"{truth_dir}: expected one folder of masks per video, but it {reason}")
    if not truth & predicted:
        raise ScoringError(f"{prediction_dir}: has none of the {len(truth)} videos of the truth, such as {min(truth)}")
    found.missing_videos = sorted(truth - predicted)
    remarks = found.problems if strict else found.notes
    if truth - predicted:
        listed = _shortened(found.missing_videos)
        remarks.append(f"{len(truth - predicted)} of {len(truth)} videos are missing in the prediction: {listed}")
    if predicted - truth:
        listed = _shortened(sorted(predicted - truth))
        remarks.append(f"{len(predicted - truth)} predicted videos are not in the truth: {listed}")
    return sorted(truth & predicted)


def _folders_in(folder: Path) -> set[str]:
    return {entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")}


def _pair_frames(
    truth_dir: Path, prediction_dir: Path, all_frames: bool, missing: str, found: Inspection
) -> tuple[FrameFiles, ...]:
    """The frames of a video; what is wrong with them is added to `found`."""
    truth, predicted = frame_names(truth_dir), frame_names(prediction_dir)
    if not truth:
        found.problems.append(f"{truth_dir}: contains no PNG masks")
    if os.path.samefile(truth_dir, prediction_dir):
        found.problems.append(f"{prediction_dir}: prediction and truth are the same folder")
    scored = truth if all_frames else truth[1:-1]
    if truth and not scored:
        found.notes.append(
            f"{truth_dir.name}: has {len(truth)} frames, all of them first or last; nothing was scored (-d would)"
        )
    _remark_on_frames(prediction_dir, truth, scored, predicted, missing, found)
    counted, read = set(scored), set(predicted).intersection(scored)
    return tuple(
        FrameFiles(
            name=frame,
            truth=str(truth_dir / f"{frame}.png"),
            prediction=str(prediction_dir / f"{frame}.png") if frame in read else None,
            scored=frame in counted,
        )
        for frame in truth
    )


def _remark_on_frames(
    prediction_dir: Path, truth: list[str], scored: list[str], predicted: list[str], missing: str, found: Inspection
) -> None:
    extra = sorted(set(predicted).difference(truth), key=frame_order)
    absent = sorted(set(scored).difference(predicted), key=frame_order)
    if shifted := counted_otherwise(truth, predicted):
        remedy = f"rename them, or remove {extra[0]}.png if the others are right"
        found.problems.append(f"{prediction_dir}: {shifted} ({remedy})")
    elif absent:
        remark = f"{prediction_dir}: {len(absent)} of {len(scored)} masks are missing: {_shortened(absent)}"
        if missing == "empty":
            found.notes.append(f"{remark}; scored as empty")
        else:
            found.problems.append(remark + (f" (it has others, such as {extra[0]})" if extra else ""))
    else:
        found.without_truth += len(extra)


def frame_names(folder: Path) -> list[str]:
    """Names without `.png` of the masks of a video, in order."""
    names = (entry.name for entry in os.scandir(folder))
    return sorted((n[:-4] for n in names if n.endswith(".png") and not n.startswith(".")), key=frame_order)


def _check_headers(frames: tuple[FrameFiles, ...], max_pixels: int) -> list[str]:
    problems = []
    for frame in frames:
        sizes = []
        for path in filter(None, (frame.truth, frame.prediction)):
            try:
                sizes.append(read_header(path, max_pixels).size)
            except ScoringError as error:
                problems += error.problems
        if len(set(sizes)) > 1:
            problems.append(f"{frame.prediction}: is {sizes[1]}, but its truth is {sizes[0]}")
    return problems


def _shortened(names: list[str], limit: int = 10) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
