"""Names from files are shown and written without doing anything."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mask_folders import MaskFolders, square
from vos_benchmark import Scorer
from vos_benchmark.command import main
from vos_benchmark.tables import full_csv, results_csv, text_table
from vos_benchmark.terminal import printable, say

TOOL_DIR = Path(__file__).resolve().parents[2] / "vos-benchmark"
FORMULAS = ("=1+1", "+1", "-1+cmd", "@SUM(A1)", '=HYPERLINK("http://x")')


def result_of(*videos: str):
    scorer = Scorer(all_frames=True)
    for video in videos:
        scorer.add(video, "=0", square(5, 5), square(5, 5))
    return scorer.result()


@pytest.mark.parametrize("table", [results_csv, full_csv])
def test_names_are_not_formulas_in_spreadsheets(table):
    text = table(result_of(*FORMULAS, "plain"))
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert {f"'{name}" for name in FORMULAS} | {"plain"} <= set(cells)
    for cell in cells:
        assert not cell.startswith(("=", "+", "-", "@")) or float(cell) <= 0  # numbers stay numbers


def test_decay_below_zero_stays_a_number():
    scorer = Scorer(all_frames=True)
    for frame in range(4):
        scorer.add("video", frame, square(5, 5), square(5, 5 + 12 * (frame < 2)))
    (row,) = [row for row in csv.DictReader(io.StringIO(full_csv(scorer.result()))) if row["level"] == "object"]
    assert float(row["J_decay"]) < 0


def test_control_codes_and_line_ends_in_names_are_shown_as_escapes():
    name = "\x1b[2Jgone\nGlobal score, 99\r\x07\x9b31m\u202e"
    for text in (text_table(result_of(name)), results_csv(result_of(name)), full_csv(result_of(name))):
        assert "\\x1b[2Jgone\\nGlobal score, 99\\r\\x07\\x9b31m\\u202e" in text
        assert not set(text) & set("\x1b\r\x07\x9b\u202e")


def test_text_is_left_as_it_is_where_it_is_printable():
    assert printable("été, 山, a b") == "été, 山, a b"
    assert printable("\udcff") == "\\udcff"


def test_what_an_encoding_lacks_is_shown_as_an_escape():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    say("山\n\x1bb", file)
    file.seek(0)
    assert file.read().split() == ["\\u5c71", "\\x1bb"]


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no such names")
def test_command_survives_hostile_names_of_videos(tmp_path):
    folders = MaskFolders(tmp_path)
    names = ["=1+1", "\x1b[31mred", "two\nlines", os.fsdecode(b"latin\xe9")]
    try:
        for name in names:
            folders.add(name, [square(5, 5)] * 4)
    except OSError:
        pytest.skip("this file system allows no such names")
    (folders.truth / "\x1b[2Jmissing").mkdir()
    paths = {kind: tmp_path / f"out.{kind}" for kind in ("json", "csv", "html")}
    options = [str(part) for kind, path in paths.items() for part in (f"--{kind}", path)]
    command = [sys.executable, "benchmark.py", "-g", str(folders.truth), "-m", str(folders.prediction), "-n", "1"]
    done = subprocess.run([*command, *options], cwd=TOOL_DIR, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"note: 1 of 5 videos are missing in the prediction: \\x1b[2Jmissing" in done.stderr
    assert b"\x1b" not in (folders.prediction / "results.csv").read_bytes() + paths["csv"].read_bytes()
    assert json.loads(paths["json"].read_text())["videos"].keys() == set(names)
    assert main(["compare", str(paths["json"]), str(paths["json"])]) == 0


def test_names_in_results_cannot_steer_the_terminal_of_a_comparison(tmp_path, capsys):
    for name, value in (("a", 0.5), ("b", 0.75)):
        item = {"J&F": value, "J": value, "F": value}
        videos = {"\x1b]0;title\x07": {"objects": {"1\x1b": item}}, "only " + name + "\x1b": {"objects": {"1": item}}}
        document = {"settings": {"tool": "vos-benchmark", "void": f"\x1b{name}"}, "videos": videos}
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 0
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
    assert "\\x1b]0;title\\x07" in printed.out
