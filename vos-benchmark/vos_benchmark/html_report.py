"""A result as one self-contained page."""

import json
import math
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from .charts import chart, sparkline
from .pictures import COLOURS, WorstFrame, worst_frames
from .results import MEASURES, ObjectResult, Result
from .tables import coverage, percent

_COLUMNS = (
    ("Sequence", "text"),
    ("Object", "number"),
    ("J&F", "number"),
    ("J", "number"),
    ("F", "number"),
    ("J recall", "number"),
    ("F recall", "number"),
    ("J decay", "number"),
    ("F decay", "number"),
    ("Lost from", "text"),
)


def html_page(result: Result, images_dir: str | Path | None = None) -> str:
    """The page. For pictures of the worst frames, the folders of masks must still be where they were scored.

    Args:
        result: From `score`, or from a `Scorer`, which has no folders and so gets no pictures.
        images_dir: Video frames `<video>/<frame>.jpg` to show below the masks.
    """
    page = files(__package__).joinpath("page")
    pictures = worst_frames(result, images_dir) if "truth" in result.settings else []
    return Template(page.joinpath("report.html").read_text(encoding="utf-8")).substitute(
        title=escape(_title(result)),
        version=escape(result.settings["version"]),
        style=page.joinpath("report.css").read_text(encoding="utf-8"),
        script=page.joinpath("report.js").read_text(encoding="utf-8"),
        coverage=escape(coverage(result)),
        notes=_notes(result),
        cards="\n".join(_cards(result)),
        columns="".join(_column_heads(result)),
        rows="\n".join(_rows(result)),
        worst=_worst_section(pictures, images_dir),
        charts="\n".join(_charts(result)),
        settings="\n".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in result.settings.items()),
        frames=json.dumps([video.frames for video in result.videos]).replace("<", "\\u003c"),
    )


def _title(result: Result) -> str:
    return f"Scores of {result.settings['prediction']}" if "prediction" in result.settings else "Scores"


def _notes(result: Result) -> str:
    if not result.notes:
        return ""
    return '<ul class="notes">' + "".join(f"<li>{escape(note)}</li>" for note in result.notes) + "</ul>"


def _cards(result: Result) -> Iterator[str]:
    measures = result.measures
    for name, label in (("J&F", "J&F"), ("J", "J"), ("F", "F")):
        detail = ""
        if name in result.intervals:
            low, high = result.intervals[name]
            detail = f" (95 %: {100 * low:.1f} to {100 * high:.1f})"
        yield _card(label + detail, measures[name], "main" if name == "J&F" else "")
    for group, numbers in result.group_measures.items():
        yield _card(f"J, {group} objects", numbers["J"])
        yield _card(f"F, {group} objects", numbers["F"])
    for label in ("recall", "decay"):
        pair = (measures[f"J_{label}"], measures[f"F_{label}"])
        shown = " / ".join("-" if math.isnan(value) else f"{100 * value:.1f}" for value in pair)
        yield f'<div class="card"><b>{shown}</b><span>{label} of J / F</span></div>'


def _card(label: str, value: float, kind: str = "") -> str:
    return f'<div class="card {kind}"><b>{percent(value)}</b><span>{escape(label)}</span></div>'


def _column_heads(result: Result) -> Iterator[str]:
    for name, kind in (*_COLUMNS, *((("Group", "text"),) if result.groups else ())):
        yield f'<th class="{kind}" data-kind="{kind}"><button>{escape(name)}</button></th>'
    yield '<th class="text"><button disabled>J over time</button></th>'


def _rows(result: Result) -> Iterator[str]:
    for video in result.videos:
        for item in video.objects:
            cells = [f'<td class="text">{escape(item.video)}</td><td data-value="{item.id}">{item.id}</td>']
            for name in MEASURES:
                value = 100 * item.measures[name]
                style = f' class="score" style="--share:{value:.1f}%"' if name == "J&F" else ""
                cells.append(f'<td data-value="{value:.6f}"{style}>{value:.2f}</td>')
            failure = item.first_failure
            cells.append(f'<td class="text{" fail" if failure else ""}">{escape(failure or "")}</td>')
            cells += [f'<td class="text">{item.group}</td>'] if result.groups else []
            cells.append(f'<td class="text">{sparkline(video, item)}</td>')
            yield f'<tr data-chart="{_anchor(result, item)}">{"".join(cells)}</tr>'


def _anchor(result: Result, item: ObjectResult) -> str:
    return f"object-{escape(item.video)}-{item.id}"


def _charts(result: Result) -> Iterator[str]:
    for index, video in enumerate(result.videos):
        for item in video.objects:
            numbers = f"J {percent(item.measures['J'])}, F {percent(item.measures['F'])}"
            yield (
                f'<div class="chart" id="{_anchor(result, item)}"><h3>{escape(item.video)}, object {item.id}'
                f"<span>{numbers}</span></h3>{chart(video, item, index)}</div>"
            )


def _worst_section(pictures: list[WorstFrame], images_dir: str | Path | None) -> str:
    if not pictures:
        return ""
    keys = "".join(
        f'<span class="key block" style="background:rgb{COLOURS[name]}"></span>{label}'
        for name, label in (
            ("agreed", "agreed"),
            ("missed", "missed by the prediction"),
            ("false", "falsely predicted"),
        )
    )
    hint = "The part of the frame around the object; other objects are dark grey. Click to enlarge."
    absent = sum(not picture.over_image and not picture.image_fault for picture in pictures)
    if images_dir is not None:
        hint = "The part of the frame around the object. Click to enlarge."
        hint += f" {absent} of these video frames are not in {escape(str(images_dir))}." if absent else ""
        faults = sorted({picture.image_fault for picture in pictures} - {""})
        hint += f" {len(faults)} cannot be read, such as {escape(faults[0])}." if faults else ""
    figures = "\n".join(_figure(picture) for picture in pictures)
    return (
        f'<section><h2>Worst frames</h2><p class="hint">{hint}</p><p class="legend">{keys}</p>'
        f'<div class="frames">\n{figures}\n</div></section>'
    )


def _figure(picture: WorstFrame) -> str:
    item = picture.item
    numbers = f"J {percent(item.J_per_frame[picture.index])}, F {percent(item.F_per_frame[picture.index])}"
    panels = "".join(
        f'<div><img src="{address}" alt="{name}" loading="lazy">{name}</div>'
        for name, address in (("truth", picture.truth), ("prediction", picture.prediction), ("errors", picture.errors))
    )
    name = f"{escape(item.video)}, object {item.id}, frame {escape(picture.frame)}"
    return f'<figure><figcaption>{name}<span>{numbers}</span></figcaption><div class="panels">{panels}</div></figure>'
