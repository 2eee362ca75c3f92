"""What an evaluation tells in the end: report.json for programs, a few lines for people."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from livos.config.schema import EvalConfig
from livos.evaluation.output_folder import OutputFolder
from livos.files.atomic import written_aside
from livos.files.names import natural_order
from livos.segmenter.segmenter import VideoSegmenter


@dataclass(frozen=True)
class VideoReport:
    """What became of one video."""

    name: str
    frames: int
    skipped: bool = False  # it was finished already
    error: str | None = None
    network_seconds: float = 0.0
    seconds: float = 0.0  # reading and writing included


def summarize(
    reports: Sequence[VideoReport], settings: EvalConfig, segmenter: VideoSegmenter, weights: str
) -> dict[str, Any]:
    """The whole run in numbers. Rates are of one process."""
    reports = sorted(reports, key=lambda report: natural_order(report.name))
    done = [r for r in reports if r.seconds]
    frames = sum(r.frames for r in done)
    network, total = sum(r.network_seconds for r in done), sum(r.seconds for r in done)
    return {
        "dataset": settings.dataset_name,
        "weights": weights,
        "device": str(segmenter.device),
        "precision": segmenter.precision,
        "videos": len(reports),
        "segmented": [r.name for r in done],
        "skipped": [r.name for r in reports if r.skipped],
        "errors": {r.name: r.error for r in reports if r.error is not None},
        "frames": frames,
        "network_frames_per_second": frames / network if network else None,
        "frames_per_second": frames / total if total else None,
        "per_video": [asdict(r) for r in reports],
        "settings": asdict(settings),
    }


def write_report(report: dict[str, Any], output: OutputFolder) -> None:
    """Writes report.json, complete or not at all."""
    with written_aside(output.path / "report.json") as aside:
        aside.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def print_report(report: dict[str, Any], output_dir: Path) -> None:
    """Prints rates, memory, scores, what failed, and where to look."""
    counts = f"{len(report['segmented'])} of {report['videos']} videos segmented"
    if report["skipped"]:
        counts += f", {len(report['skipped'])} were finished already"
    if report["errors"]:
        counts += f", {len(report['errors'])} FAILED"
    print(f"{report['dataset']}: {counts}")
    if report["frames"]:
        print(
            f"  frames per second: {report['network_frames_per_second']:.1f} network only, "
            f"{report['frames_per_second']:.1f} with reading and writing "
            f"({report['frames']} frames on {report['device']}, {report['precision']})"
        )
    if report["peak_memory_bytes"]:
        print(f"  peak memory: {report['peak_memory_bytes'] / 2**20:,.0f} MiB")
    if scores := report.get("scores"):
        print("  " + "  ".join(f"{name} {100 * scores[name]:.1f}" for name in ("J&F", "J", "F")))
        for note in scores["notes"]:
            print(f"    {note}")
    print(f"  masks: {output_dir / 'Annotations'}")
    if report.get("archive"):
        print(f"  for the server: {report['archive']}")
    for name, error in report["errors"].items():
        print(f"  FAILED {name}: {error}")
