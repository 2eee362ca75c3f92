"""J and F of an object over time, as SVG."""

from collections.abc import Sequence
from html import escape

from .results import ObjectResult, VideoResult

_WIDTH, _HEIGHT = 340, 130
_LEFT, _RIGHT, _TOP, _BOTTOM = 26, 332, 8, 108


def chart(video: VideoResult, item: ObjectResult, video_index: int) -> str:
    """A chart with axes; its data attributes tell the page's script where each frame is."""
    count = len(video.frames)
    start = count - len(item.frames)
    columns = [_column(start + i, count) for i in range(len(item.frames))]
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="J and F over time" data-video="{video_index}" '
        f'data-first="{start}" data-top="{_TOP}" data-bottom="{_BOTTOM}">'
    ]
    if item.first_failure is not None:
        left = columns[item.frames.index(item.first_failure)]
        size = f'width="{_RIGHT - left + 1:.1f}" height="{_BOTTOM - _TOP}"'
        parts.append(f'<rect class="lost" x="{left}" y="{_TOP}" {size}/>')
    for share in (0, 50, 100):
        y = _row(share / 100)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 4}" y="{y + 3.5}" text-anchor="end">{share}</text>')
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 6}">{escape(video.frames[0])}</text>')
    parts.append(f'<text x="{_RIGHT}" y="{_HEIGHT - 6}" text-anchor="end">{escape(video.frames[-1])}</text>')
    parts.append(f'<line class="cursor" y1="{_TOP}" y2="{_BOTTOM}" visibility="hidden"/>')
    for name, values in (("f", item.F_per_frame), ("j", item.J_per_frame)):
        parts.append(_line(name, columns, [_row(value) for value in values]))
    return "".join([*parts, "</svg>"])


def sparkline(video: VideoResult, item: ObjectResult) -> str:
    """J over time, small and without axes."""
    count = len(video.frames)
    start = count - len(item.frames)
    columns = [round(2 + 126 * (start + i) / max(count - 1, 1), 1) for i in range(len(item.frames))]
    rows = [round(22 - 20 * value, 1) for value in item.J_per_frame]
    return f'<svg viewBox="0 0 130 24" aria-hidden="true">{_line("j", columns, rows)}</svg>'


def _column(frame: int, count: int) -> float:
    return round(_LEFT + (_RIGHT - _LEFT) * frame / max(count - 1, 1), 1)


def _row(value: float) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * value, 2)


def _line(name: str, columns: Sequence[float], rows: Sequence[float]) -> str:
    corners = " ".join(f"{x:g},{y:g}" for x, y in zip(columns, rows, strict=True))
    dot = f'<circle class="{name}" cx="{columns[0]:g}" cy="{rows[0]:g}" r="2"/>' if len(columns) == 1 else ""
    return f'<polyline class="{name}" points="{corners}"/>{dot}'
