"""Segment the bundled clip on this machine, score it, and show the result.

livos demo
livos demo --output results/demo --device cpu
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from livos.commands import demo_report
from livos.files.bundled import bundled_dir

CLIP = "launch-pad-cafe"


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="livos demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("results/demo"), help="(default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")
    options = parser.parse_args(arguments)
    clip = bundled_dir() / "examples" / "demo"
    masks = options.output / "Annotations"
    settings = ["dataset=demo", "model=lite", f"device={options.device}", f"output_dir={options.output}"]
    steps = [[sys.executable, "-m", "livos", "eval", *settings]]
    if find_spec("vos_benchmark"):
        steps.append([sys.executable, "-m", "livos", "score", "-g", str(clip / "Annotations"), "-m", str(masks)])
    for step in steps:
        if status := subprocess.run(step).returncode:
            return status
    folders = ["--images", clip / "JPEGImages" / CLIP, "--truth", clip / "Annotations" / CLIP, "--masks", masks / CLIP]
    demo_report.main([str(word) for word in [*folders, "--output", options.output]])
    print(next_steps(clip))
    return 0


def next_steps(clip: Path) -> str:
    """What to do after the demo, with commands that work unchanged."""
    here, livos = _from_here(clip), _livos_command()
    return f"""
Next, do the same with your own files. This command works with those of the clip:
  {livos} track --video {here}/JPEGImages/{CLIP} --masks {here}/GivenMasks/{CLIP} --output results/first

No mask yet? Draw one over the video in the browser:
  {livos} studio {here}/JPEGImages/{CLIP}
or in any paint program that saves PNG files: docs/masks.md says what a mask may look like."""


def _livos_command() -> str:
    """How to call `livos` in the shell that started this program."""
    beside = Path(sys.executable).with_name("livos")
    found = shutil.which("livos")
    if found and Path(found) == beside:
        return "livos"
    return str(_from_here(beside)) if beside.is_file() else "python -m livos"


def _from_here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(main())
