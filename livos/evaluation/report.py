"""The report of an evaluation: report.json for programs, a few lines for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from livos.config.schema import EvalConfig
from livos.files.atomic import written_aside
from livos.files.names import natural_order
from livos.segmenter.segmenter import VideoSegmenter


@dataclass(frozen=True)
class VideoReport:
    """The outcome for one video."""

    name: str
    frames: int
    skipped: bool = False  # it was already finished
    error: str | None = None
    network_seconds: float = 0.0
    seconds: float = 0.0  # including reading and writing


@dataclass(frozen=True)
class EvaluationReport:
    """A whole run in numbers. Rates are per process."""

    dataset: str
    weights: str
    device: str
    precision: str
    videos: int
    segmented: list[str]
    skipped: list[str]
    errors: Mapping[str, str]  # by video; `score` if there was nothing to score
    frames: int
    network_frames_per_second: float | None
    frames_per_second: float | None
    peak_memory_bytes: int | None
    scores: Mapping[str, Any] | None  # with score=true
    archive: str | None  # the file for the set's server
    per_video: list[VideoReport] = field(default_factory=list)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Writes the report as JSON, atomically."""
        with written_aside(path) as aside:
            aside.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def summarize(
    reports: Sequence[VideoReport],
    settings: EvalConfig,
    segmenter: VideoSegmenter,
    weights: str,
    *,
    peak_memory_bytes: int | None = None,
    scores: Mapping[str, Any] | None = None,
    more_errors: Mapping[str, str] | None = None,
) -> EvaluationReport:
    """The report of all videos, before an archive is packed."""
    reports = sorted(reports, key=lambda report: natural_order(report.name))
    done = [r for r in reports if r.seconds]
    frames = sum(r.frames for r in done)
    network, total = sum(r.network_seconds for r in done), sum(r.seconds for r in done)
    return EvaluationReport(
        dataset=settings.dataset_name,
        weights=weights,
        device=str(segmenter.device),
        precision=segmenter.precision,
        videos=len(reports),
        segmented=[r.name for r in done],
        skipped=[r.name for r in reports if r.skipped],
        errors={r.name: r.error for r in reports if r.error is not None} | dict(more_errors or {}),
        frames=frames,
        network_frames_per_second=frames / network if network else None,
        frames_per_second=frames / total if total else None,
        peak_memory_bytes=peak_memory_bytes,
        scores=scores,
        archive=None,
        per_video=list(reports),
        settings=asdict(settings),
    )


def print_report(report: EvaluationReport, output_dir: Path) -> None:
    """Prints rates, memory, scores, failures, and where the results are."""
    counts = f"{len(report.segmented)} of {report.videos} videos segmented"
    if report.skipped:
        counts += f", {len(report.skipped)} were already finished"
    if report.errors:
        counts += f", {len(report.errors)} FAILED"
    print(f"{report.dataset}: {counts}")
    if report.network_frames_per_second and report.frames_per_second:
        print(
            f"  frames per second: {report.network_frames_per_second:.1f} network only, "
            f"{report.frames_per_second:.1f} with reading and writing "
            f"({report.frames} frames on {report.device}, {report.precision})"
        )
    if report.peak_memory_bytes:
        print(f"  peak memory: {report.peak_memory_bytes / 2**20:,.0f} MiB")
    if report.scores:
        print("  " + "  ".join(f"{name} {100 * report.scores[name]:.1f}" for name in ("J&F", "J", "F")))
        for note in report.scores["notes"]:
            print(f"    {note}")
    print(f"  masks: {output_dir / 'Annotations'}")
    if report.archive:
        print(f"  for the server: {report.archive}")
    for name, error in report.errors.items():
        print(f"  FAILED {name}: {error}")
