"""Tables in README.md, weights/README.md and docs/ say the same as livos/released_weights.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from livos.released_weights import RELEASED_WEIGHTS, RESULT_TITLES, find_released_weights

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("weights/*.md"), *ROOT.glob("docs/*.md")])


def table_rows(text: str) -> list[tuple[list[str], list[str]]]:
    """(headings, cells) of each row of each Markdown table."""
    rows: list[tuple[list[str], list[str]]] = []
    headings: list[str] | None = None
    for line in text.splitlines():
        if not line.lstrip().startswith("|"):
            headings = None
            continue
        cells = [cell.strip(" `*") for cell in line.strip().strip("|").split("|")]
        if headings is None:
            headings = cells
        elif not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            rows.append((headings, cells))
    return rows


def published_cells(text: str) -> list[tuple[str, str, str]]:
    """(weights, data set, cell) wherever a table crosses released weights and a data set with published results."""
    dataset_by_title = {title: dataset for dataset, title in RESULT_TITLES.items()} | {d: d for d in RESULT_TITLES}
    known = {weights.name for weights in RELEASED_WEIGHTS}
    found = []
    for headings, cells in table_rows(text):
        for heading, cell in zip(headings[1:], cells[1:], strict=False):
            for row, column in ((cells[0], heading), (heading, cells[0])):
                name = row.removeprefix("livos-").removesuffix(".pth")
                if name in known and column in dataset_by_title:
                    found.append((name, dataset_by_title[column], cell))
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_published_numbers_are_those_of_the_table(path):
    for name, dataset, cell in published_cells(path.read_text(encoding="utf-8")):
        score = find_released_weights(name).results.get(dataset)
        assert cell == ("-" if score is None else f"{score:.1f}"), f"{path}: {name} on {dataset}"


def test_the_weights_page_has_every_number():
    found = published_cells((ROOT / "weights" / "README.md").read_text(encoding="utf-8"))
    wanted = {(weights.name, dataset) for weights in RELEASED_WEIGHTS for dataset in RESULT_TITLES}
    assert {(name, dataset) for name, dataset, _ in found} == wanted


def test_names_with_or_without_wrapping_are_the_same_weights():
    assert find_released_weights("livos-wmose-480p.pth") is find_released_weights("wmose-480p")


def test_drive_ids_are_all_different():
    ids = [drive_id for weights in RELEASED_WEIGHTS for drive_id in weights.drive_ids]
    assert len(set(ids)) == len(ids) == 8
