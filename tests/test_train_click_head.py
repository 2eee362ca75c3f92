"""scripts/train_click_head.py: its files, how it goes on after it was stopped, and what it says of wrong options."""

from __future__ import annotations

import errno
import functools
import os
import shutil
import signal
from pathlib import Path

import pytest
import torch
from click_sets import write_click_sets
from script_modules import load_script

from livos.clicks.clicker import network_with_head
from livos.files.folder_lock import folder_in_use
from livos.files.tensor_files import load_tensors
from livos.interruptions import Interrupted
from livos.loading import load_model
from livos.training import click_data

program = load_script("scripts/train_click_head.py")
TINY = ("--iterations", "6", "--cooldown", "3", "--batch-size", "1", "--size", "32", "--save-every", "4")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_click_sets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def lite():
    return load_model("lite")


@pytest.fixture(autouse=True)
def quick(lite, monkeypatch):
    """Keeps one picture instead of 100 out of training, and loads the network once."""
    monkeypatch.setattr(click_data, "KEPT_OUT_PER_SET", 1)
    monkeypatch.setattr(program, "load_model", lambda name: lite)


@pytest.fixture
def heeding_ctrl_c():
    """SIGINT means Ctrl-C, even if the tests themselves were started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def whole_run(data, lite, tmp_path_factory) -> Path:
    """The folder of a run that was never stopped."""
    output = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(click_data, "KEPT_OUT_PER_SET", 1)
        monkeypatch.setattr(program, "load_model", lambda name: lite)
        program.main(["--data", str(data), "--output", str(output), *TINY])
    return output


def run(data: Path, output: Path, *options: str) -> None:
    program.main(["--data", str(data), "--output", str(output), *TINY, *options])


def failure(data: Path, output: Path, *options: str) -> str:
    """The one sentence with which the program ends."""
    with pytest.raises(SystemExit) as end:
        run(data, output, *options)
    assert isinstance(end.value.code, str) and "\n" not in end.value.code
    return end.value.code


def contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def assert_same_head(one: Path, other: Path) -> None:
    """The weights are the same bit for bit, and so is the state to go on from."""
    assert (one / "click-head.safetensors").read_bytes() == (other / "click-head.safetensors").read_bytes()
    states = [load_tensors(folder / "last.pth") for folder in (one, other)]
    assert [state["iteration"] for state in states] == [6, 6]
    assert all(torch.equal(x, states[1]["head"][name]) for name, x in states[0]["head"].items())


def test_a_run_leaves_weights_that_load_and_a_state(whole_run):
    assert contents(whole_run) == {"last.pth", "click-head.safetensors"}
    network = network_with_head(whole_run / "click-head.safetensors")
    average = load_tensors(whole_run / "last.pth")["average"]
    head = network.head.state_dict()
    assert all(torch.allclose(x.float(), average[name].float(), atol=1e-3, rtol=1e-3) for name, x in head.items())


def test_a_finished_run_is_not_trained_again(data, whole_run, tmp_path, capsys):
    shutil.copytree(whole_run, tmp_path / "run")
    run(data, tmp_path / "run")
    assert "6 iterations are already done" in capsys.readouterr().out
    assert_same_head(whole_run, tmp_path / "run")


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_a_run_that_is_told_to_stop_saves_and_the_same_command_ends_with_the_same_head(
    data, whole_run, tmp_path, monkeypatch, capsys
):
    step = program.ClickTrainer.step

    def stopped(trainer):
        if trainer.iteration in signals:
            signal.raise_signal(signals.pop(trainer.iteration))
        return step(trainer)

    signals = {1: signal.SIGTERM, 3: signal.SIGINT}
    monkeypatch.setattr(program.ClickTrainer, "step", stopped)
    for status, name, done in ((143, "SIGTERM", 2), (130, "SIGINT", 4)):
        with pytest.raises(SystemExit) as end:
            run(data, tmp_path)
        assert end.value.code == status
        said = f"interrupted by {name}: iteration {done} is saved; the same command continues from there\n"
        assert capsys.readouterr().err == said
        assert contents(tmp_path) == {"last.pth", "click-head.safetensors"}
        assert load_tensors(tmp_path / "last.pth")["iteration"] == done
    run(data, tmp_path)
    assert_same_head(whole_run, tmp_path)


@pytest.mark.parametrize("name", ["last.pth", "click-head.safetensors"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), Interrupted(signal.SIGINT)])
def test_a_run_that_fails_as_it_saves_keeps_the_state_before_and_goes_on(
    data, whole_run, tmp_path, monkeypatch, name, error
):
    replace = os.replace

    def failing(source, target):
        if Path(target).name == name and (tmp_path / name).exists():
            raise error
        replace(source, target)

    with monkeypatch.context() as patches:
        patches.setattr(os, "replace", failing)
        with pytest.raises(SystemExit) as end:
            run(data, tmp_path)
    assert end.value.code == 130 if isinstance(error, Interrupted) else name in end.value.code
    assert contents(tmp_path) == {"last.pth", "click-head.safetensors"}
    assert load_tensors(tmp_path / "last.pth")["iteration"] == 4
    run(data, tmp_path)
    assert_same_head(whole_run, tmp_path)


def test_what_a_killed_run_has_half_written_is_cleared_away(data, whole_run, tmp_path):
    run_folder = shutil.copytree(whole_run, tmp_path / "run")
    (run_folder / ".last.4000000-1.part.pth").write_bytes(b"half")
    run(data, run_folder)
    assert contents(run_folder) == {"last.pth", "click-head.safetensors"}


def test_a_second_run_in_the_same_folder_is_refused(data, tmp_path, monkeypatch):
    monkeypatch.setattr(program, "folder_in_use", functools.partial(folder_in_use, patience=0))
    with folder_in_use(tmp_path, "another run"):
        assert "is in use by another run" in failure(data, tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--iterations", "0"), "iterations is 0"),
        (("--batch-size", "0"), "batch_size is 0"),
        (("--size", "40"), "size is 40: expected a multiple of 16"),
        (("--cooldown", "7"), "cooldown is 7: expected 0 to 6"),
        (("--learning-rate", "0"), "learning_rate is 0.0"),
        (("--seed", "-1"), "seed is -1"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(data, tmp_path, options, said):
    assert said in failure(data, tmp_path / "run", *options)
    assert not (tmp_path / "run").exists()


def test_saving_every_0_iterations_is_refused(data, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        run(data, tmp_path / "run", "--save-every", "0")
    assert end.value.code == 2 and "--save-every 0: expected 1 or more" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("static/coco_objects", "coco"),
        ("static/ecssd", "ecssd"),
        ("static/ccp", "ccp"),
        ("DAVIS", "davis"),
        ("extra_videos", "extra"),
    ],
)
def test_missing_data_is_named_before_anything_is_written(data, tmp_path, folder, name):
    part = shutil.copytree(data, tmp_path / "data")
    shutil.rmtree(part / folder)
    assert failure(part, tmp_path / "run") == f"{part}: found no pictures with masks of the set {name}"
    assert not (tmp_path / "run").exists()


def test_too_few_pictures_to_keep_some_out_are_refused(data, tmp_path, monkeypatch):
    monkeypatch.setattr(click_data, "KEPT_OUT_PER_SET", 2)
    assert "no pictures to train on in ccp" in failure(data, tmp_path)


def test_a_damaged_picture_is_named(data, tmp_path):
    damaged = shutil.copytree(data, tmp_path / "data")
    for path in damaged.rglob("*.jpg"):
        path.write_bytes(path.read_bytes()[:200])
    assert ".jpg" in failure(damaged, tmp_path / "run")


def test_a_file_that_is_no_state_is_named(data, tmp_path):
    (tmp_path / "last.pth").write_bytes(b"not a state")
    assert str(tmp_path / "last.pth") in failure(data, tmp_path)


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_state_before(data, tmp_path, monkeypatch):
    step = program.ClickTrainer.step

    def failing(trainer):
        if trainer.iteration == 5:
            raise FloatingPointError("iteration 5: the loss is nan")
        return step(trainer)

    monkeypatch.setattr(program.ClickTrainer, "step", failing)
    assert failure(data, tmp_path) == "iteration 5: the loss is nan"
    assert load_tensors(tmp_path / "last.pth")["iteration"] == 4


def test_progress_is_printed_every_20_iterations(data, tmp_path, monkeypatch, capsys):
    class Pretended:
        """A trainer whose losses are its iterations."""

        settings = program.ClickSettings(iterations=45, cooldown=0)
        iteration, seconds, saved = 0, 0.0, ()

        def step(self):
            self.iteration += 1
            return float(self.iteration), [0.5, 0.25 * (self.iteration % 2), 0.0]

        def save(self):
            self.saved += (self.iteration,)

    trainer = Pretended()
    with program.noticing_signals() as told:
        program.train(trainer, 10, told)
    assert capsys.readouterr().out.splitlines() == [
        "20 loss 10.500 IoU 0.500 0.125 0.0 min",
        "40 loss 30.500 IoU 0.500 0.125 0.0 min",
    ]
    assert trainer.saved == (10, 20, 30, 40, 45)
