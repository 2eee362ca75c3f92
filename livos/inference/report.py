"""The end of an evaluation, for people."""

from pathlib import Path
from typing import Any

from livos.config.schema import EvalConfig


def print_report(report: dict[str, Any], settings: EvalConfig) -> None:
    """Prints rates, memory, scores, what failed, and where to look."""
    output = Path(settings.output_dir or Path("results") / settings.dataset_name)
    done = report["videos"] - len(report["skipped"]) - len(report["errors"])
    print(f"{report['dataset']}: {done} videos segmented, {len(report['skipped'])} were complete already")
    if report["frames"]:
        print(
            f"  frames per second: {report['network_frames_per_second']:.1f} network only, "
            f"{report['frames_per_second']:.1f} with reading and writing "
            f"({report['frames']} frames on {report['device']}, {report['precision']})"
        )
    if report["peak_memory_bytes"]:
        print(f"  peak memory: {report['peak_memory_bytes'] / 2**20:,.0f} MiB")
    if "scores" in report:
        scores = report["scores"]["dataset"]
        print(f"  J&F {scores['J&F']:.1f}  J {scores['J']:.1f}  F {scores['F']:.1f}")
    print(f"  masks: {output / 'Annotations'}")
    if report.get("archive"):
        print(f"  for the server: {report['archive']}")
    for name, error in report["errors"].items():
        print(f"  FAILED {name}: {error}")
