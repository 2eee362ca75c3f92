import logging
import signal
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_training import ALONE, numbers_of, tiny_network, tiny_run, tiny_stage
from training_data import tiny_settings, write_videos

import livos.training.trainer as trainer
from livos.checkpoints import load_weights
from livos.config.schema import LossConfig, StageConfig, TrainConfig
from livos.distributed import Process
from livos.files.folder_lock import folder_in_use
from livos.interruptions import Interrupted
from livos.training.experiment import find_start
from livos.training.metrics_log import MetricsLog, RunningMean
from livos.training.pictures import picture_of_clip
from livos.training.step import TrainingStep
from livos.training.training_state import checkpoints_in, load_checkpoint

TODAY = datetime(2031, 2, 1)


@pytest.fixture
def root(tmp_path):
    return write_videos(tmp_path)


def losses_of(folder: Path) -> list[tuple[str, int, float]]:
    return [(line["stage"], line["iteration"], line["loss"]) for line in numbers_of(folder)]


def test_a_run_leaves_numbers_checkpoints_weights_and_settings(root):
    folder = trainer.train(tiny_run(root, picture_every=2, weights_every=2), ALONE)
    assert [line["iteration"] for line in numbers_of(folder)] == [1, 2, 3, 4]
    rates = [line["learning_rate/others"] for line in numbers_of(folder)]
    assert rates == pytest.approx([1e-4, 1e-4, 1e-4, 1e-5])
    names = [path.name for path in checkpoints_in(folder / "checkpoints")]
    assert names == ["main_training_00000002.pt", "main_training_00000004.pt"]
    weights = ["last.pth", "main_training_00000002.pth", "main_training_00000004.pth"]
    assert sorted(path.name for path in (folder / "weights").iterdir()) == weights
    assert "batch_size: 2" in (folder / "config.yaml").read_text()
    board = EventAccumulator(str(folder / "tensorboard" / "main_training")).Reload()
    assert [event.step for event in board.Scalars("loss")] == [1, 2, 3, 4]
    assert board.Scalars("hours_left")[-1].value == 0
    assert [event.step for event in board.Images("clip")] == [2, 4]
    load_weights(tiny_network(), folder / "weights" / "last.pth")


def test_both_stages_follow_each_other_and_the_second_starts_from_the_first(root, monkeypatch):
    seen = {}
    original = trainer.StageTrainer.run

    def run(self, told_to_stop):
        seen[self.progress.stage] = [parameter.detach().clone() for parameter in self.network.parameters()]
        finished = original(self, told_to_stop)
        seen[self.progress.stage + " end"] = [parameter.detach().clone() for parameter in self.network.parameters()]
        return finished

    monkeypatch.setattr(trainer.StageTrainer, "run", run)
    trainer.train(tiny_run(root, tiny_stage(iterations=2), pre_training=tiny_stage(iterations=2)), ALONE)
    for end, start in zip(seen["pre_training end"], seen["main_training"], strict=True):
        assert torch.equal(end, start)
    assert not all(map(torch.equal, seen["main_training"], seen["main_training end"]))


@pytest.mark.parametrize("settings", [{}, {"average_decay": 0.5, "precision": "bfloat16", "log_every": 3}])
def test_an_interrupted_run_resumes_with_the_same_losses(root, monkeypatch, settings):
    whole = trainer.train(tiny_run(root, output_dir=str(root / "whole"), **settings), ALONE)

    def interrupt(self, iteration, portions):
        if iteration == 3:
            raise KeyboardInterrupt
        return original(self, iteration, portions)

    original = TrainingStep.__call__
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(TrainingStep, "__call__", interrupt)
        trainer.train(tiny_run(root, **settings), ALONE)
    torch.rand(7)  # whatever a process has drawn before it goes on
    folder = trainer.train(tiny_run(root, resume="auto", **settings), ALONE)
    assert losses_of(folder) == losses_of(whole)
    first, second = (torch.load(path / "weights" / "last.pth") for path in (whole, folder))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_an_interrupted_first_stage_resumes_too(root):
    run = {"pre_training": tiny_stage(iterations=4), "stage": tiny_stage(iterations=2)}
    whole = trainer.train(tiny_run(root, **run, output_dir=str(root / "whole")), ALONE)
    folder = trainer.train(tiny_run(root, **run), ALONE)
    for path in checkpoints_in(folder / "checkpoints")[1:]:
        path.unlink()  # as if it had stopped after pre_training's iteration 2
    trainer.train(tiny_run(root, **run, resume="auto"), ALONE)
    assert losses_of(folder) == losses_of(whole)
    assert [stage for stage, _, _ in losses_of(whole)] == ["pre_training"] * 4 + ["main_training"] * 2


def test_padding_slots_of_a_stage_are_those_of_its_own_clips(root, monkeypatch):
    seen = {}
    original = trainer.TrainingStep.__init__

    def remember(self, *arguments):
        original(self, *arguments)
        seen[self.stage.iterations] = self.padding_slots

    monkeypatch.setattr(trainer.TrainingStep, "__init__", remember)
    data = {"image_data": tiny_settings(root, num_frames=3, max_objects=1), "padding_objects": True}
    trainer.train(tiny_run(root, tiny_stage(iterations=2), pre_training=tiny_stage(iterations=1), **data), ALONE)
    assert seen == {1: 1, 2: 3}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_a_checkpoint_and_ends_the_run(root, monkeypatch, request, number):
    def interrupted(self, iteration, portions):
        if iteration == 0:
            signal.raise_signal(number)
        return original(self, iteration, portions)

    original = TrainingStep.__call__
    monkeypatch.setattr(TrainingStep, "__call__", interrupted)
    before = signal.signal(number, signal.SIG_DFL)  # heeded, even where the tests were started in the background
    request.addfinalizer(lambda: signal.signal(number, before))
    with pytest.raises(Interrupted, match=r"iteration 1 of main_training is saved; resume=auto continues from there"):
        trainer.train(tiny_run(root), ALONE)
    folder = root / "run"
    assert [path.name for path in checkpoints_in(folder / "checkpoints")] == ["main_training_00000001.pt"]
    assert len(numbers_of(folder)) == 1


def test_a_run_in_a_folder_in_use_is_refused(root, monkeypatch):
    with (
        folder_in_use(root / "run", "a training"),
        monkeypatch.context() as patch,
        pytest.raises(BlockingIOError, match="in use by a training"),
    ):
        patch.setattr("livos.training.trainer.folder_in_use", partial(folder_in_use, patience=0))
        trainer.train(tiny_run(root), ALONE)
    assert not (root / "run/config.yaml").exists()


def test_a_run_does_not_begin_from_what_another_one_has_left_behind_meanwhile(root, monkeypatch):
    original = trainer.prepare_network

    def meanwhile(*arguments):
        monkeypatch.setattr(trainer, "prepare_network", original)
        trainer.train(tiny_run(root, tiny_stage(iterations=1)), ALONE)
        return original(*arguments)

    monkeypatch.setattr(trainer, "prepare_network", meanwhile)
    with pytest.raises(BlockingIOError, match="another training ran here while this one started"):
        trainer.train(tiny_run(root, resume="auto"), ALONE)


def test_only_the_newest_checkpoints_are_kept(root):
    folder = trainer.train(tiny_run(root, checkpoint_every=1, keep_checkpoints=2), ALONE)
    names = [path.name for path in (folder / "checkpoints").iterdir()]
    assert sorted(names) == ["main_training_00000003.pt", "main_training_00000004.pt"]


def test_what_is_never_due_is_left_out_but_the_end_is_saved(root):
    run = tiny_run(root, log_every=0, picture_every=0, weights_every=0, checkpoint_every=0)
    folder = trainer.train(run, ALONE)
    assert not (folder / "metrics.jsonl").exists()
    assert sorted(file.name for file in (folder / "weights").iterdir()) == ["last.pth", "main_training_00000004.pth"]
    assert [file.name for file in checkpoints_in(folder / "checkpoints")] == ["main_training_00000004.pt"]


def test_a_run_gives_up_after_steps_that_were_skipped_in_a_row_and_names_the_clips(root, monkeypatch):
    def broken(images, colour):
        return torch.full(images.shape, float("nan"))

    monkeypatch.setattr("livos.training.step.apply_colour", broken)
    with pytest.raises(FloatingPointError, match=r"not finite 3 times in a row.*main_training.*videos/video\d:"):
        trainer.train(tiny_run(root, max_skipped=3), ALONE)


def test_skipped_steps_are_counted_and_forgotten_when_all_is_well_again(root, monkeypatch):
    calls = []

    def broken_every_other_time(images, colour):
        calls.append(1)
        return images.float() / 255 if len(calls) % 2 else torch.full(images.shape, float("nan"))

    monkeypatch.setattr("livos.training.step.apply_colour", broken_every_other_time)
    folder = trainer.train(tiny_run(root, max_skipped=2), ALONE)
    assert [line["skipped"] for line in numbers_of(folder)] == [0, 1, 1, 2]
    assert ["loss" in line for line in numbers_of(folder)] == [True, False, True, False]


def test_fine_tuning_starts_from_weights(root, monkeypatch):
    folder = trainer.train(tiny_run(root, tiny_stage(iterations=1)), ALONE)
    path = folder / "weights" / "last.pth"
    network = trainer.first_network(tiny_run(root, weights=str(path)), continued=False)
    expected = torch.load(path)
    assert all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_a_gpu_trains_in_every_precision(root, precision):
    settings = {"precision": precision, "device": "cuda", "channels_last": True, "activation_checkpointing": True}
    folder = trainer.train(tiny_run(root, batch_norm="train", **settings), Process(0, 1, torch.device("cuda")))
    assert sum("loss" in line for line in numbers_of(folder)) >= 1
    assert torch.load(folder / "weights" / "last.pth")["pix_projector.layer.weight"].isfinite().all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_norm": "sync"}, "batch_norm=sync needs GPUs"),
        ({"batch_norm": "off"}, "batch_norm=off, expected one of train, sync, frozen"),
        ({"resume": "yes"}, "resume=yes, expected one of never, auto"),
        ({"precision": "half"}, "precision=half, expected one of float32, tf32, bfloat16, float16"),
        (
            {"main_training": tiny_stage(schedule="cosine")},
            r"main_training\.schedule=cosine, expected one of constant, poly",
        ),
        ({"loss": LossConfig(auxiliary_clips="lst")}, r"loss\.auxiliary_clips=lst, expected one of all, last"),
        ({"main_training": StageConfig(enabled=False)}, "nothing to train"),
        ({"main_training": tiny_stage(batch_size=3, accumulation=2)}, "batch_size=3 cannot be divided"),
    ],
)
def test_impossible_settings_are_refused_before_training(root, changes, message):
    with pytest.raises(ValueError, match=message):
        trainer.train(tiny_run(root, **changes), ALONE)
    assert not (root / "run").exists()


def test_a_checkpoint_of_other_parts_is_refused(root):
    trainer.train(tiny_run(root, tiny_stage(iterations=2)), ALONE)
    with pytest.raises(ValueError, match="continue with the same precision and average_decay"):
        trainer.train(tiny_run(root, resume="auto", average_decay=0.9), ALONE)


def test_weights_are_not_a_checkpoint(root):
    folder = trainer.train(tiny_run(root, tiny_stage(iterations=1)), ALONE)
    with pytest.raises(ValueError, match="weights="):
        load_checkpoint(folder / "weights" / "last.pth")


def test_other_settings_are_named_when_a_run_resumes(root, caplog):
    trainer.train(tiny_run(root, tiny_stage(iterations=1)), ALONE)
    with caplog.at_level(logging.WARNING):
        trainer.train(tiny_run(root, tiny_stage(iterations=2, weight_decay=0.5), resume="auto"), ALONE)
    assert "main_training.weight_decay (was 0.001)" in caplog.text


def test_a_run_with_checkpoints_is_neither_overwritten_nor_continued_unasked(root):
    trainer.train(tiny_run(root, tiny_stage(iterations=1)), ALONE)
    with pytest.raises(FileExistsError, match="resume=auto continues it"):
        trainer.train(tiny_run(root), ALONE)


def experiment(folder: Path, *checkpoints: str) -> Path:
    (folder / "checkpoints").mkdir(parents=True)
    for name in checkpoints:
        (folder / "checkpoints" / name).touch()
    return folder


def test_resume_finds_the_newest_experiment_of_that_name_whatever_the_day(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment(Path("model_1231_2029/mine"), "main_training_00000500.pt")
    newest = experiment(
        Path("model_0130_2031/mine"),
        "pre_training_00900000.pt",
        "main_training_00000100.pt",
        "main_training_00000020.pt",
        ".main_training_00000200.7-7.part.pt",
    )
    experiment(Path("model_0131_2031/mine"))  # began, but saved nothing
    experiment(Path("model_0131_2031/other"), "main_training_00000900.pt")
    config = TrainConfig(exp_id="mine", resume="auto")
    expected = (newest, newest / "checkpoints" / "main_training_00000100.pt")
    assert find_start(config, TODAY, restarted=False) == expected
    assert find_start(TrainConfig(exp_id="mine"), TODAY, restarted=True) == expected


def test_a_new_experiment_has_the_published_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = TrainConfig(exp_id="first_try", resume="auto")
    assert find_start(config, TODAY, restarted=False) == (Path("model_0201_2031/first_try"), None)


def test_a_certain_checkpoint_is_continued_in_a_separate_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = TrainConfig(exp_id="branch", checkpoint="elsewhere/main_training_00000100.pt")
    assert find_start(config, TODAY, restarted=False) == (Path("model_0201_2031/branch"), Path(config.checkpoint))


def test_means_are_over_the_time_since_they_were_taken():
    means = RunningMean()
    means.add({"loss": 1.0})
    means.add({"loss": 3.0})
    other = RunningMean()
    other.load_state_dict(means.state_dict())
    assert means.take() == other.take() == {"loss": 2.0}
    assert means.take() == {}


def test_numbers_of_iterations_that_are_done_again_are_dropped(tmp_path):
    for stage, start, iterations in (("pre_training", 0, 2), ("main_training", 0, 4), ("main_training", 2, 3)):
        log = MetricsLog(tmp_path, stage, start, 10)
        for iteration in range(start + 1, iterations + 1):
            log.numbers(iteration, {"loss": 0.5})
        log.close()
    done = [(line["stage"], line["iteration"]) for line in numbers_of(tmp_path)]
    assert done == [("pre_training", 1), ("pre_training", 2)] + [("main_training", i) for i in (1, 2, 3)]


def test_a_half_written_line_of_numbers_is_dropped(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"stage": "main_training", "iteration": 1}\n{"stage": "main_tr')
    MetricsLog(tmp_path, "main_training", 1, 10).close()
    assert len(numbers_of(tmp_path)) == 1


def test_a_picture_has_a_column_for_each_frame_and_rows_for_each_object():
    labels = torch.zeros(3, 32, 64, dtype=torch.uint8)
    labels[:, :, :32], labels[:, :, 32:] = 1, 2
    probabilities = torch.zeros(2, 3, 32, 64)
    probabilities[:, 1] = 1.0  # the first object everywhere
    picture = picture_of_clip(torch.full((3, 3, 32, 64), 0.5), labels, probabilities)
    height, width = 80 + 4, 160 + 4
    assert picture.shape == (5 * height, 3 * width, 3) and picture.dtype == np.uint8
    assert picture[42, 40].tolist() == [128, 128, 128]
    left = [[int(picture[row * height + 42, column * width + 40, 0]) for column in range(3)] for row in range(1, 5)]
    assert left == [[255, 255, 255], [255, 255, 255], [0, 0, 0], [0, 0, 0]]
    right = [[int(picture[row * height + 42, column * width + 120, 0]) for column in range(3)] for row in range(1, 5)]
    assert right == [[0, 0, 0], [0, 255, 255], [255, 255, 255], [255, 0, 0]]
