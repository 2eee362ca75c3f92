"""The examples run as they are, on a few frames at a small size, and the notebook is its program."""

from __future__ import annotations

import json
import re
from pathlib import Path

from script_modules import load_script

ROOT = Path(__file__).parent.parent
make_notebook = load_script("scripts/make_notebook.py")


def test_the_notebook_is_made_from_its_program(capsys):
    assert make_notebook.main(["--check"]) == 0, capsys.readouterr().err


def test_an_old_notebook_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(make_notebook, "NOTEBOOK", tmp_path / "old.ipynb")
    monkeypatch.setattr(make_notebook, "ROOT", tmp_path)
    assert make_notebook.main(["--check"]) == 1
    assert make_notebook.main([]) == 0
    assert make_notebook.main(["--check"]) == 0


def test_code_of_the_notebook_runs_and_saves_masks(tmp_path, monkeypatch, capsys):
    """Its cells one after the other, at 64 pixels on 3 frames."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    cells = json.loads(make_notebook.NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    small, replaced = re.subn(r"SIZE, END = 320, 19", "SIZE, END = 64, 2", code)
    assert replaced == 1
    exec(small, {})
    assert "objects: (1, 2) and later (1, 2, 3)" in capsys.readouterr().out
    written = sorted(path.name for path in (tmp_path / "results" / "first_steps").iterdir())
    assert written == [f"{number:05d}.png" for number in range(18, 23)]


def test_streaming_prints_the_objects_of_each_frame(capsys):
    load_script("examples/streaming.py").main(["--size", "64", "--frames", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["frame 0", "frame 1", "frame 2"]
    assert re.search(r"object 1: \d+ pixels, J 1\.00; object 2: \d+ pixels, J 1\.00$", lines[0])


def test_correcting_gives_the_mask_that_was_given(capsys):
    correcting = load_script("examples/correcting.py")
    correcting.main(["--size", "64", "--every", "16"])
    _, line = capsys.readouterr().out.splitlines()
    without, corrected = (float(number) for number in re.findall(r"\d\.\d\d", line))
    assert line.startswith("frame 48: ") and without < corrected and corrected > 0.95
