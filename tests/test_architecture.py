"""Imports go one way: each room of the package uses only rooms below it, as docs/architecture.md says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "livos"
NETWORKS = {"model", "build", "checkpoints", "loading"}
COMMAND_FILES = {"__main__", "datasets", "eval", "train"}  # the published commands

USES: dict[str, set[str]] = {
    "model": set(),
    "files": set(),
    "allocation": set(),
    "devices": set(),
    "interruptions": set(),
    "released_weights": set(),
    "distributed": {"devices"},
    "build": {"model"},
    "checkpoints": {"files"},
    "loading": {"build", "checkpoints", "files", "model", "released_weights"},
    "config": {"files", "model"},
    "masks": {"files"},
    "video": {"files"},
    "acceleration": {"model"},
    "engines": {"acceleration", "devices", "files", "model"},
    "segmenter": {*NETWORKS, "acceleration", "devices", "engines", "files"},
    "clicks": {*NETWORKS, "acceleration", "files"},
    "export": {*NETWORKS, "engines", "files", "masks", "segmenter"},
    "pipeline": {*NETWORKS, "devices", "files", "masks", "segmenter", "video"},
    "evaluation": {*NETWORKS, "config", "devices", "distributed", "files", "masks", "pipeline", "segmenter", "video"},
    "training": {*NETWORKS, "clicks", "config", "devices", "distributed", "evaluation", "files", "interruptions"}
    | {"masks", "pipeline", "segmenter", "video"},
    "studio": {*NETWORKS, "clicks", "devices", "files", "interruptions", "masks", "pipeline", "segmenter", "video"},
}
"""What each room may import. Commands may import everything, and nothing imports commands."""


def room_of(path: Path) -> str:
    """The folder of a module in the package, or its own name where it is in none."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imports_of(source: str) -> Iterator[str]:
    """The rooms that a module imports, wherever in its text."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"livos.{alias.name}" for alias in node.names] if node.module == "livos" else [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name == "livos.__version__":
                continue
            package, *inner = name.split(".")
            if package == "livos":
                yield inner[0] if inner else "livos"


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" or path.parent != PACKAGE)
LIBRARY = [path for path in MODULES if room_of(path) not in COMMAND_FILES | {"commands"}]


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_rooms_import_only_what_is_below_them(path):
    room = room_of(path)
    assert room in USES, f"livos/{room} is new: say in USES above and in docs/architecture.md what it may import"
    found = set(imports_of(path.read_text(encoding="utf-8"))) - {room, "__version__"}
    assert found <= USES[room], f"livos/{room} must not import {', '.join(sorted(found - USES[room]))}"


def test_the_allowed_directions_have_no_circle():
    order = list(TopologicalSorter(USES).static_order())
    assert order.index("model") < order.index("segmenter") < order.index("pipeline") < order.index("evaluation")


def test_no_module_of_the_library_imports_the_commands():
    allowed = {room for rooms in USES.values() for room in rooms}
    assert not allowed & (COMMAND_FILES | {"commands", "livos"})


def test_the_scorer_imports_nothing_of_livos():
    for path in (ROOT / "vos-benchmark" / "vos_benchmark").rglob("*.py"):
        assert not list(imports_of(path.read_text(encoding="utf-8"))), path


def test_imports_inside_functions_are_seen():
    source = (
        "import numpy\ndef f():\n    from livos.studio.server import serve\nfrom livos import VideoSegmenter, train\n"
    )
    assert set(imports_of(source)) == {"VideoSegmenter", "train", "studio"}


def test_every_room_is_on_the_page():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").is_file()}
    assert rooms <= set(re.findall(r"^\| `(\w+)/` ", page, re.MULTILINE))
