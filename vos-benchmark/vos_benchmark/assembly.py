"""From the scores of frames to the result of a data set."""

from collections.abc import Iterable
from typing import Any

from .errors import ScoringError
from .groups import Groups
from .protocols import Protocol, Track, VideoScores, tracks_of
from .results import ObjectResult, Result, VideoResult

_VOID_MEANINGS = {
    "object": ("scored as an object like any other", "--void background or --void ignore takes it for void"),
    "background": ("taken for void, background of the truth", "--void object scores it, --void ignore leaves it out"),
    "ignore": ("taken for void, left out of truth and prediction", "--void object scores it as an object"),
}


def assemble(
    videos: Iterable[VideoScores],
    protocol: Protocol,
    groups: Groups | None,
    settings: dict[str, Any],
    notes: Iterable[str] = (),
    missing_videos: int = 0,
) -> Result:
    """The result of a data set.

    Args:
        videos: The scores of each video.
        protocol: Decides which objects count.
        groups: Seen and unseen, if the protocol needs them.
        settings: Recorded in the result.
        notes: Earlier remarks; more are added.
        missing_videos: The number of videos of the truth that are not among `videos`.

    Raises:
        ScoringError: If the protocol refuses predictions, or there is nothing to score.
    """
    if protocol.grouped and groups is None:
        raise ScoringError(f"protocol {protocol.name} needs a list of seen or of unseen videos or categories")
    videos = sorted(videos, key=lambda video: video.name)
    remarks, results, problems = [*notes, *_void_remarks(videos, settings["void"])], [], []
    for video in videos:
        try:
            tracks = tracks_of(video, protocol)
        except ScoringError as error:
            problems += error.problems
            continue
        remarks += _remarks(video, tracks, protocol)
        results.append(_video_result(video, tracks, groups if protocol.grouped else None))
    if problems:
        raise ScoringError(problems)
    if not any(video.objects for video in results):
        raise ScoringError(_nothing_to_score(videos, settings["void"]))
    if protocol.grouped and groups is not None:
        remarks += _group_remarks(results, groups)
    return Result(settings, tuple(results), tuple(remarks), len(results) + missing_videos)


def _video_result(video: VideoScores, tracks: list[Track], groups: Groups | None) -> VideoResult:
    objects = tuple(
        ObjectResult(
            video=video.name,
            id=track.id,
            frames=track.frames,
            J_per_frame=track.region,
            F_per_frame=track.boundary,
            group=groups.group_of(video.name, track.id) if groups else None,
        )
        for track in tracks
    )
    return VideoResult(video.name, tuple(video.frames), objects)


def _nothing_to_score(videos: list[VideoScores], void: str) -> str:
    if not any(video.frames for video in videos):
        return "nothing to score: all frames are the first or last of their video; -d (all_frames=True) scores them"
    reason = "nothing to score: the truth shows no object on any scored frame"
    if void != "object" and any(video.void_frames for video in videos):
        reason += '; it has id 255, which counts as void (--void object, void="object": as an object)'
    return reason


def _void_remarks(videos: list[VideoScores], void: str) -> list[str]:
    """How id 255 in the truth was counted, and the alternatives."""
    count, alone = sum(video.void_frames for video in videos), sum(video.only_void_frames for video in videos)
    if not count:
        return []
    other_ids = f", {'all' if alone == count else alone} of them no other id" if alone else ""
    counted, others = _VOID_MEANINGS[void]
    return [f"{count} true masks have pixels of id 255{other_ids}: {counted} ({others})"]


def _remarks(video: VideoScores, tracks: list[Track], protocol: Protocol) -> list[str]:
    """What may be surprising about the scores of a video."""
    remarks = []
    if video.frames and not tracks:
        remarks.append(f"{video.name}: the truth shows no object that counts")
    if video.unknown_ids:
        hint = " (0 and 255: a mask of one object?)" if video.unknown_ids == [255] else ""
        remarks.append(f"{video.name}: predicted ids that the truth never has: {_listed(video.unknown_ids)}{hint}")
    if protocol.numbered:
        counted = {track.id for track in tracks}
        gaps, late = sorted(counted - video.truth_ids), sorted(video.truth_ids - counted)
        if gaps:
            remarks.append(f"{video.name}: ids {_listed(gaps)} are unused, which {protocol.name} scores as objects")
        if late:
            remarks.append(f"{video.name}: {protocol.name} leaves out ids {_listed(late)}, new after the first frame")
    return remarks


def _group_remarks(results: list[VideoResult], groups: Groups) -> list[str]:
    objects = [item for video in results for item in video.objects]
    remarks = [
        f"no object is {name}, so there is no overall score" for name in ("seen", "unseen") if not _has(objects, name)
    ]
    unused = groups.unused((item.video, item.id) for item in objects)
    if unused:
        remarks.append(f"listed as seen or unseen, but not scored: {_listed(unused)}")
    return remarks


def _has(objects: list[ObjectResult], group: str) -> bool:
    return any(item.group == group for item in objects)


def _listed(items: list, limit: int = 10) -> str:
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(str(item) for item in items[:limit]) + more
