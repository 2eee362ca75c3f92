"""Draw the loss curves of one run, or of several successive ones, as SVG, from the metrics.jsonl of training.

python scripts/plot_losses.py model_0101_2027/first_try/metrics.jsonl losses.svg
python scripts/plot_losses.py model_0101_2027/first/metrics.jsonl model_0102_2027/second/metrics.jsonl losses.svg
"""

import argparse
import json
import math
import sys
from pathlib import Path

from livos.files.atomic import written_aside

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 860, 320, 44, 44, 34, 16  # pixels; HEIGHT is that of a row of panels
COLOURS = {"loss": "#1f4e9c", "loss/cross_entropy": "#c9622d", "loss/dice": "#3d8b4f"}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metrics", type=Path, nargs="+")
    parser.add_argument("picture", type=Path)
    options = parser.parse_args(arguments)
    stages = []
    for path in options.metrics:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            stages += stages_of([json.loads(line) for line in lines if line.strip()])
        except (OSError, ValueError, KeyError) as error:
            sys.exit(f"{path}: expected a metrics.jsonl of livos/train.py: {error!r}")
    with written_aside(options.picture) as aside:
        aside.write_text(draw(stages), encoding="utf-8")


def stages_of(records: list[dict]) -> list[tuple[str, dict[int, dict]]]:
    """The stages of a run, in order, with its records by iteration; a later record replaces an earlier one."""
    stages: dict[str, dict[int, dict]] = {}
    for record in records:
        if "loss" in record:
            stages.setdefault(record["stage"], {})[record["iteration"]] = record
    if not stages:
        raise ValueError("no losses in it")
    return list(stages.items())


def draw(stages: list[tuple[str, dict[int, dict]]]) -> str:
    """One panel per stage, up to three side by side."""
    columns = min(3, len(stages))
    width, height = WIDTH / columns, HEIGHT * math.ceil(len(stages) / columns)
    panels = "".join(
        f'<g transform="translate({i % columns * width:.0f} {i // columns * HEIGHT})">{_panel(name, points, width)}</g>'
        for i, (name, points) in enumerate(stages)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12"><rect width="{WIDTH}" height="{height}" fill="white"/>{panels}</svg>\n'
    )


def _panel(stage: str, points: dict[int, dict], width: float) -> str:
    iterations = sorted(points)
    end, top = iterations[-1], 1.25 * max(points[i]["loss"] for i in iterations)
    x0, x1, y0, y1 = LEFT, width - RIGHT, HEIGHT - BOTTOM, TOP

    def place(iteration: float, loss: float) -> tuple[float, float]:
        return x0 + (x1 - x0) * iteration / end, y0 - (y0 - y1) * loss / top

    parts = [f'<text x="{(x0 + x1) / 2:.0f}" y="18" text-anchor="middle">{stage}</text>']
    for step in range(5):
        _, y = place(0, top * step / 4)
        x, _ = place(end * step / 4, 0)
        parts.append(f'<path d="M{x0:.1f} {y:.1f}H{x1:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{x0 - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{top * step / 4:.2g}</text>')
        parts.append(f'<text x="{x:.1f}" y="{y0 + 18:.1f}" text-anchor="middle">{end * step // 4}</text>')
    for row, (name, colour) in enumerate(COLOURS.items()):
        corners = (place(i, points[i][name]) for i in iterations if name in points[i])
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        parts.append(f'<text x="{x1 - 6:.1f}" y="{y1 + 14 + 15 * row}" text-anchor="end" fill="{colour}">{name}</text>')
    return "".join(parts)


if __name__ == "__main__":
    main()
