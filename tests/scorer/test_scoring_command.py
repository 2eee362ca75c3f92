"""The command as it is typed."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from mask_folders import MaskFolders, square
from vos_benchmark.command import main

TOOL_DIR = Path(__file__).resolve().parents[2] / "vos-benchmark"


def run_command(*arguments: object, program: tuple = ("benchmark.py",)) -> subprocess.CompletedProcess:
    command = [sys.executable, *program, *map(str, arguments)]
    return subprocess.run(command, cwd=TOOL_DIR, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("program", [("benchmark.py",), ("-m", "vos_benchmark")])
def test_command_prints_and_writes_the_known_table(folders, program):
    done = run_command("-g", folders.truth, "-m", folders.prediction, "-n", 2, "-s", program=program)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    assert lines[:5] == [
        ["sequence", "obj", "J&F", "J", "F"],
        ["one", "1", "100.00", "100.00", "100.00"],
        ["two", "1", "100.00", "100.00", "100.00"],
        ["two", "2", "100.00", "100.00", "100.00"],
        ["Global score", "", "100.00", "100.00", "100.00"],
    ]
    assert "2 of 2 videos, 3 objects, 8 frames, protocol vos-benchmark" in done.stdout
    with open(folders.prediction / "results.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["sequence", "obj", "J&F", "J", "F"]
    assert rows[1] == ["Global score", "", "100.0", "100.0", "100.0"]
    assert [row[:2] for row in rows[2:]] == [["one", "1"], ["two", "1"], ["two", "2"]]


def test_missing_mask_ends_with_status_1_and_not_in_a_hang(folders):
    (folders.prediction / "one" / "00002.png").unlink()
    done = run_command("-g", folders.truth, "-m", folders.prediction, "-n", 2)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"error: {folders.prediction / 'one'}: 1 of 4 masks are missing: 00002\n"
    assert not (folders.prediction / "results.csv").exists()


def test_davis2017_ends_with_status_1_on_an_error(folders, capsys):
    (folders.prediction / "one" / "00002.png").write_bytes((folders.truth / "two" / "00002.png").read_bytes())
    assert main(["-g", str(folders.truth), "-m", str(folders.prediction), "--protocol", "davis2017"]) == 1
    assert "frame 00002 of the prediction has id 2" in capsys.readouterr().err


def test_partial_sets_are_scored_and_reported_as_partial(folders, capsys):
    (folders.prediction / "two").rename(folders.prediction / "too")
    options = ["-g", str(folders.truth), "-m", str(folders.prediction), "-n", "1"]
    assert main(options) == 0
    printed = capsys.readouterr()
    assert "PARTIAL: 1 of 2 videos" in printed.out
    assert "note: 1 of 2 videos are missing in the prediction: two" in printed.err
    assert main([*options, "--strict"]) == 1


@pytest.fixture
def reports(data_dir: Path, tmp_path: Path) -> dict[str, Path]:
    """JSON and CSV of the recorded masks; results.csv goes beside them through a link to the masks."""
    prediction = tmp_path / "prediction"
    prediction.mkdir()
    for video in (data_dir / "prediction").iterdir():
        (prediction / video.name).symlink_to(video)
    paths = {"json": tmp_path / "scores.json", "csv": tmp_path / "scores.csv"}
    arguments = ["-g", data_dir / "truth", "-m", prediction, "--json", paths["json"], "--csv", paths["csv"]]
    assert main([*map(str, arguments), "-n", "1"]) == 0
    return paths


@pytest.mark.skipif(os.name == "nt", reason="links to folders need rights on Windows")
def test_json_has_everything_at_full_precision(reports, data_dir):
    document = json.loads(reports["json"].read_text())
    expected = json.loads((data_dir / "expected.json").read_text())
    assert document["score"]["J"] == pytest.approx(expected["vos_benchmark_protocol_global"]["J"], rel=0, abs=1e-12)
    assert document["settings"]["protocol"] == "vos-benchmark"
    assert re.fullmatch(r"\d+\.\d+\.\d+", document["settings"]["version"])
    low, high = document["intervals_95"]["J&F"]
    assert low < document["score"]["J&F"] < high
    item = document["videos"]["late-object"]["objects"]["5"]
    assert item["first_frame"] == "00006"
    numbers = expected["vos_benchmark_protocol"]["late-object"]["5"]
    assert item["F_per_frame"] == pytest.approx(numbers["F_per_frame"], rel=0, abs=1e-12)
    assert item["first_failure"] is None
    assert document["videos"]["lost-object"]["objects"]["2"]["first_failure"] == "00005"


@pytest.mark.skipif(os.name == "nt", reason="links to folders need rights on Windows")
def test_csv_has_everything_at_full_precision(reports):
    document = json.loads(reports["json"].read_text())
    with open(reports["csv"], newline="") as file:
        rows = list(csv.DictReader(file))
    (total,) = [row for row in rows if row["level"] == "dataset"]
    assert {name: float(total[name]) for name in document["score"]} == document["score"]
    settings = {row["setting"]: row["value"] for row in rows if row["level"] == "setting"}
    assert settings == {name: str(value) for name, value in document["settings"].items()}
    place = {"level": "frame", "sequence": "late-object", "obj": "5"}
    frames = [row for row in rows if place.items() <= row.items()]
    item = document["videos"]["late-object"]["objects"]["5"]
    assert [float(row["J"]) for row in frames] == item["J_per_frame"]
    assert frames[0]["frame"] == item["first_frame"]


def write_scores(folders: MaskFolders, path: Path, *options: str) -> str:
    assert (
        main(["-g", str(folders.truth), "-m", str(folders.prediction), "-n", "1", "--json", str(path), *options]) == 0
    )
    return str(path)


def test_compare_lists_regressions_first(folders, tmp_path, capsys):
    before = write_scores(folders, tmp_path / "a.json")
    folders.spoil("two", 3, square(30, 37, id=2))
    folders.spoil("two", 4, np.zeros((48, 64), np.uint8))
    after = write_scores(folders, tmp_path / "b.json")
    capsys.readouterr()
    assert main(["compare", before, after, "--json", str(tmp_path / "c.json")]) == 0
    text = capsys.readouterr().out
    assert "3 objects: 0 better, 2 worse, 1 equal; B is better in 0.0 % of the samples" in text
    document = json.loads((tmp_path / "c.json").read_text())
    assert [(item["sequence"], item["obj"], item["B-A"]) for item in document["objects"]] == [
        ("two", "1", -0.5),
        ("two", "2", -0.25),
        ("one", "1", 0),
    ]
    assert document["means"]["J&F"] == pytest.approx({"A": 1, "B": 0.75, "B-A": -0.25})
    low, high = document["intervals_95"]["J&F"]
    assert low <= -0.25 <= high <= 0


def test_compare_reports_what_cannot_be_compared(folders, tmp_path, capsys):
    before = write_scores(folders, tmp_path / "a.json")
    (folders.prediction / "two").rename(tmp_path / "two")
    after = write_scores(folders, tmp_path / "b.json", "-d")
    capsys.readouterr()
    assert main(["compare", before, after]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "note: different settings: first_and_last_frame is skipped in A and scored in B",
        "note: 2 objects are only in A and not compared, such as two 1",
    ]


def test_compare_refuses_other_files(tmp_path, capsys):
    (tmp_path / "a.json").write_text("[]")
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "a.json")]) == 1
    assert "expected a file that this tool wrote with --json" in capsys.readouterr().err


def test_several_predictions_are_scored_in_turn(folders, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    (folders.prediction / "two").rename(other / "two")
    arguments = ["-g", str(folders.truth), "-m", str(folders.prediction), str(other), "-n", "1"]
    assert main(arguments) == 0
    assert capsys.readouterr().out.count("Global score") == 2
    assert (other / "results.csv").exists()
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "--json", str(tmp_path / "scores.json")])
    assert stopped.value.code == 2


def test_reports_that_cannot_be_written_are_refused_before_the_work(folders, tmp_path, capsys):
    path = tmp_path / "absent" / "scores.json"
    assert main(["-g", str(folders.truth), "-m", str(folders.prediction), "--json", str(path)]) == 1
    printed = capsys.readouterr()
    assert printed.err == f"error: {path}: cannot be written, {tmp_path / 'absent'} is not a folder\n"
    assert printed.out == ""


def wait_for_workers(pid: int) -> None:
    """Returns as soon as a process starts others, or after a while if the system does not say."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        time.sleep(3)
        return
    deadline = time.monotonic() + 20
    while not children.read_text().split() and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture
def long_work(tmp_path: Path) -> MaskFolders:
    """Two thousand large frames, made of a few files."""
    folders = MaskFolders(tmp_path)
    folders.add("video-0", [square(10 * i, 20, size=900, shape=(1500, 2000)) for i in range(4)])
    for video in range(6):
        for folder in (folders.truth, folders.prediction):
            (folder / f"video-{video}").mkdir(exist_ok=True)
            for frame in range(350):
                path = folder / f"video-{video}" / f"{frame:05}.png"
                if not path.exists():
                    path.hardlink_to(folder / "video-0" / f"{frame % 4:05}.png")
    return folders


def stopped_by(number: int, folders: MaskFolders, group: bool) -> tuple[int, str, str]:
    """(exit status, output, errors) of a command that gets a signal at work, once all of its processes have ended."""
    command = [sys.executable, "benchmark.py", "-g", str(folders.truth), "-m", str(folders.prediction), "-n", "3"]
    process = subprocess.Popen(
        command, cwd=TOOL_DIR, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for_workers(process.pid)
    (os.killpg if group else os.kill)(process.pid, number)
    output, errors = process.communicate(timeout=20)  # waits for the last process that could still write
    return process.returncode, output, errors


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent otherwise on Windows")
def test_ctrl_c_stops_all_processes(long_work):
    assert stopped_by(signal.SIGINT, long_work, group=True) == (130, "", "\ninterrupted\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_workers_do_not_outlive_the_command(long_work):
    assert stopped_by(signal.SIGKILL, long_work, group=False) == (-9, "", "")
