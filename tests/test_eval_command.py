"""The command that people type, in separate processes: what it prints, its exit status, Ctrl-C, several processes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from tiny_evaluation import ALL_MASKS, TINY_MODEL, masks_in, run, write_two_videos
from tiny_sets import numbered, write_video

from livos.commands.datasets import names
from livos.config.schema import EvalConfig
from livos.eval import main

COMMAND = str(Path(__file__).parents[1] / "livos" / "eval.py")
MODEL = [f"model.{key}={str(value).replace(' ', '')}" for key, value in TINY_MODEL.items()]
FOLDERS = ["image_directory=images", "mask_directory=masks"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_two_videos(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory) -> tuple[Path, str, str]:
    """A folder with the results of a run without problems, what it printed and what it logged."""
    root = tmp_path_factory.mktemp("eval")
    write_two_videos(root)
    return root, *finish(start(root), status=0)


def start(root: Path, *settings: str, launcher: tuple[str, ...] = ()) -> subprocess.Popen:
    """Starts the command in the folder `root`, by default for the videos there and a tiny network."""
    arguments = [COMMAND, "dataset=generic", *FOLDERS, *MODEL, "weights=untrained", "device=cpu", "output_dir=out"]
    return subprocess.Popen(
        [sys.executable, *launcher, *arguments, *settings],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def finish(process: subprocess.Popen, status: int) -> tuple[str, str]:
    """What the command printed to stdout and stderr, once it has ended with this exit status."""
    printed, complaints = process.communicate(timeout=300)
    assert process.returncode == status, complaints
    return printed, complaints


def test_a_run_prints_its_report_and_leaves_results_alone(finished_run):
    root, printed, complaints = finished_run
    assert re.match(r"generic: 2 of 2 videos segmented\n  frames per second: [\d.]+ network only, [\d.]+ with", printed)
    assert f"masks: {Path('out/Annotations')}" in printed
    assert "UNTRAINED NETWORK" in complaints and "100%" in complaints
    assert list(masks_in(root)) == ALL_MASKS
    assert sorted(path.name for path in root.iterdir()) == ["images", "masks", "out"]
    assert sorted(path.name for path in (root / "out").iterdir()) == ["Annotations", "finished", "report.json"]


def test_a_video_that_failed_gives_exit_status_1(root):
    (root / "masks/a/00000.png").unlink()
    printed, complaints = finish(start(root), status=1)
    assert "1 of 2 videos segmented, 1 FAILED" in printed and "FAILED a: a: no mask for the first frame" in printed
    assert "ERROR: a failed and is skipped: a: no mask" in complaints and "Traceback" not in complaints


def test_a_run_that_is_impossible_gives_exit_status_2_and_one_line(root):
    printed, complaints = finish(start(root, "weights=nowhere.pth"), status=2)
    assert printed == "" and "Traceback" not in complaints
    assert complaints.startswith(
        "ERROR: no weights at nowhere.pth: expected a file, or one of the names lite, nomose-480p"
    )


def test_an_unknown_setting_gives_exit_status_2_and_the_known_ones(root):
    _, complaints = finish(start(root, "flipaug=true"), status=2)
    assert complaints.startswith("unknown setting flipaug (did you mean flip_aug?). Known: amp, ")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals for another process")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_an_interrupted_run_stops_at_once_and_the_same_command_resumes_it(root, monkeypatch, number, status):
    write_video(root / "images", root / "masks", "c", numbered(200), {"00000": [1, 2]})
    process = start(root)
    deadline = time.monotonic() + 200
    while not (root / "out/Annotations/c/00003.png").is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, complaints = finish(process, status)
    name = signal.Signals(number).name
    assert f"ERROR: interrupted by {name}; the same command continues" in complaints and "Traceback" not in complaints
    assert not (root / "out/report.json").exists() and not list((root / "out").rglob("*.part*"))
    assert 3 < len(list((root / "out/Annotations/c").iterdir())) < 200
    for path in sorted((root / "images/c").iterdir())[5:]:  # the rest of them would only take time
        path.unlink()
    monkeypatch.chdir(root)
    report = run(root, image_directory="images", mask_directory="masks", output_dir="out")
    assert (report.skipped, report.segmented) == (["a", "b"], ["c"])


def test_two_processes_share_the_videos(root, finished_run):
    (root / "images/b/00003.jpg").write_bytes(b"")
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")
    printed, complaints = finish(start(root, launcher=torchrun), status=1)
    assert "1 of 2 videos segmented, 1 FAILED" in printed
    assert complaints.count("b failed and is skipped") == 1
    alone, shared = masks_in(finished_run[0]), masks_in(root)
    assert all(alone[name] == shared[name] for name in ALL_MASKS[:4])
    report = json.loads((root / "out/report.json").read_text())
    assert [video["name"] for video in report["per_video"]] == ["a", "b"] and report["frames"] == 4


@pytest.mark.parametrize("dataset", names())
def test_every_set_composes_with_what_can_be_overridden(dataset):
    assert callable(main)  # importing it registers the schema
    with initialize_config_module("livos.config", version_base="1.3"):
        composed = compose("eval_config", [f"dataset={dataset}", "model=small", "data_root=/data", "size=300"])
    config = OmegaConf.to_object(composed)
    assert isinstance(config, EvalConfig)
    assert (config.dataset_name, config.size, config.model.image_encoder) == (dataset, 300, "resnet18")
    assert config.image_directory.startswith("/data") or dataset in ("demo", "generic")
