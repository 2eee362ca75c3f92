"""Results as text to read, as CSV and as JSON."""

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import ScoringError
from .files import write_text
from .results import MEASURES, Result
from .terminal import printable

_COLUMNS = ("level", "sequence", "obj", "frame", "group", *MEASURES, "first_failure", "setting", "value")
_FORMULA_STARTS = ("=", "+", "-", "@")  # how formulas start in spreadsheets


def percent(value: float) -> str:
    """A score for printing; a dash if there is none."""
    return "-" if math.isnan(value) else f"{100 * value:.2f}"


def text_table(result: Result) -> str:
    """The table of objects in percent, the global score, and other statistics of the data set."""
    rows = [(printable(item.video), str(item.id), item.measures) for item in result.objects]
    rows.append(("Global score", "", result.measures))
    width = max(len(name) for name, _, _ in rows)
    lines = [f"{'sequence':<{width}}, obj,    J&F,      J,      F"]
    for name, id, measures in rows:
        numbers = ", ".join(f"{percent(measures[key]):>6}" for key in ("J&F", "J", "F"))
        lines.append(f"{name:<{width}},{id:>4}, {numbers}")
    return "\n".join([*lines, "", *_closing_lines(result)])


def _closing_lines(result: Result) -> Iterator[str]:
    for name, measures in result.group_measures.items():
        count = len(result.groups[name])
        yield f"{name:<6}  J {percent(measures['J'])}, F {percent(measures['F'])} ({count} objects)"
    total = {name: percent(value) for name, value in result.measures.items()}
    if "J&F" in result.intervals:
        low, high = map(percent, result.intervals["J&F"])
        yield f"J&F     {total['J&F']}, 95 % confidence interval over objects {low} to {high}"
    yield f"recall  J {total['J_recall']}, F {total['F_recall']}"
    yield f"decay   J {total['J_decay']}, F {total['F_decay']}"
    yield "scored  " + coverage(result)


def coverage(result: Result) -> str:
    """How much was scored, and how."""
    frames = sum(len(video.frames) for video in result.videos)
    partial = "PARTIAL: " if result.is_partial else ""
    return (
        f"{partial}{len(result.videos)} of {result.videos_in_truth} videos, {len(result.objects)} objects, "
        f"{frames} frames, protocol {result.settings['protocol']}"
    )


def results_csv(result: Result) -> str:
    """`results.csv` with the known columns, in percent, with all digits."""
    rows = [("Global score", "", result.measures), *((item.video, item.id, item.measures) for item in result.objects)]
    lines = [(name, id, *(100 * measures[key] for key in ("J&F", "J", "F"))) for name, id, measures in rows]
    return _csv_text([("sequence", "obj", "J&F", "J", "F"), *lines])


def write_results_csv(result: Result, folder: str | Path) -> str:
    """Writes `results.csv` into a folder; returns why it could not, since the folder may be read-only."""
    try:
        write_text(Path(folder) / "results.csv", results_csv(result))
    except ScoringError as error:
        return str(error)
    return ""


def full_csv(result: Result) -> str:
    """Everything in one table, from 0 to 1: the column `level` says what a row is about."""
    rows = [dict(zip(_COLUMNS, _COLUMNS, strict=True)), *_full_rows(result)]
    return _csv_text([[_cell(row.get(column, "")) for column in _COLUMNS] for row in rows])


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and math.isnan(value) else value


def _full_rows(result: Result) -> Iterator[dict[str, Any]]:
    for name, value in result.settings.items():
        yield {"level": "setting", "setting": name, "value": value}
    for note in result.notes:
        yield {"level": "note", "value": note}
    yield {"level": "dataset", **result.measures}
    for name, measures in result.group_measures.items():
        yield {"level": "group", "group": name, **measures}
    for video in result.videos:
        yield {"level": "video", "sequence": video.name, **video.measures}
    for item in result.objects:
        place = {"sequence": item.video, "obj": item.id, "group": item.group or ""}
        yield {"level": "object", **place, **item.measures, "first_failure": item.first_failure or ""}
    for item in result.objects:
        place = {"sequence": item.video, "obj": item.id, "group": item.group or ""}
        for frame, region, boundary in zip(item.frames, item.J_per_frame, item.F_per_frame, strict=True):
            values = {"J&F": (region + boundary) / 2, "J": region, "F": boundary}
            yield {"level": "frame", **place, "frame": frame, **values}


def _csv_text(rows: list) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_safe_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _safe_cell(value: Any) -> Any:
    """Text that spreadsheets do not mistake for a formula, nor terminals for a command; numbers are unchanged."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def full_json(result: Result) -> str:
    """Everything, from 0 to 1; NaN (no such object) becomes null."""
    document = {
        "settings": result.settings,
        "notes": result.notes,
        "videos_scored": len(result.videos),
        "videos_in_truth": result.videos_in_truth,
        "score": _numbers(result.measures),
        "intervals_95": result.intervals,
        "groups": {
            name: {**_numbers(measures), "num_objects": len(result.groups[name])}
            for name, measures in result.group_measures.items()
        },
        "videos": {
            video.name: {
                **_numbers(video.measures),
                "frames": video.frames,
                "objects": {
                    str(item.id): {
                        **item.measures,
                        "first_failure": item.first_failure,
                        "group": item.group,
                        "first_frame": item.frames[0],
                        "J_per_frame": item.J_per_frame,
                        "F_per_frame": item.F_per_frame,
                    }
                    for item in video.objects
                },
            }
            for video in result.videos
        },
    }
    return _indented(document) + "\n"


def _numbers(measures: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in measures.items()}


def _indented(value: Any, margin: str = "") -> str:
    """JSON with a line for each entry of a dictionary, and lists on one line."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value, allow_nan=False)
    inner = margin + " "
    entries = (f"{inner}{json.dumps(name)}: {_indented(entry, inner)}" for name, entry in value.items())
    return "{\n" + ",\n".join(entries) + f"\n{margin}}}"
