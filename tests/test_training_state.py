"""A checkpoint that is damaged or from another run is refused with its path and what does not fit."""

import re
from pathlib import Path

import pytest
import torch
from tiny_training import ALONE
from torch import nn

from livos.config.schema import StageConfig
from livos.training.metrics_log import RunningMean
from livos.training.optimizer import make_optimizer
from livos.training.training_state import Progress, checkpoints_in, load_checkpoint, restore, save_checkpoint


def parts(width: int = 3) -> dict:
    """A run's parts after one step."""
    network = nn.Linear(2, width)
    optimizer = make_optimizer(network, StageConfig())
    network(torch.ones(2)).sum().backward()
    optimizer.step()
    means = RunningMean()
    means.add({"loss": 1.0})
    return {"network": network, "optimizer": optimizer, "scaler": torch.amp.GradScaler("cpu"), "means": means}


@pytest.fixture
def saved(tmp_path) -> Path:
    save_checkpoint(tmp_path, Progress("main_training", 7), parts(), ALONE, keep=1)
    return checkpoints_in(tmp_path)[0]


def set_entry(content: dict, name: str, value: object) -> None:
    *path, last = name.split("/")
    for key in path:
        content = content[int(key) if key.isdecimal() else key]
    if value is None:
        del content[last]
    else:
        content[int(last) if last.isdecimal() else last] = value


def test_a_whole_checkpoint_is_restored(saved):
    own = parts()
    checkpoint = load_checkpoint(saved)
    restore(checkpoint, own, ALONE)
    assert checkpoint.progress == Progress("main_training", 7)
    assert all(torch.equal(x, checkpoint.parts["network"][name]) for name, x in own["network"].state_dict().items())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "progress",
            [1],
            "is not a checkpoint of this program, or is damaged: progress: expected best_score, iteration, ",
        ),
        ("progress/iteration", None, "progress: expected best_score, iteration, skipped"),
        ("progress/iteration", "7", "progress.iteration: expected a number, found '7'"),
        ("progress/iteration", -7, "progress is {'stage': 'main_training', 'iteration': -7"),
        ("progress/stage", "training", "progress is {'stage': 'training'"),
        ("progress/best_score", float("nan"), "progress.best_score: expected a number, found nan"),
        ("random_states", None, "is damaged: 'random_states'"),
        ("random_states", {}, "random_states must be a list"),
        ("random_states/0/torch", torch.zeros(3), "does not fit this run, or is damaged: "),
        ("random_states/0/python", None, "does not fit this run, or is damaged: 'python'"),
        ("network", [1], "network: expected bias, weight, found a list of 1"),
        ("network/bias", torch.zeros(4), r"network.bias: expected torch.float32 (3,), found torch.float32 (4,)"),
        ("network/bias", torch.zeros(3).int(), r"network.bias: expected torch.float32 (3,), found torch.int32 (3,)"),
        ("network/bias", torch.full((3,), float("inf")), "network.bias: contains NaN or infinity"),
        ("network/bias", 0.5, "network.bias: expected a tensor, found a float"),
        ("network/bias", None, "network: expected bias, weight, found weight"),
        (
            "optimizer/state/0/exp_avg",
            torch.zeros(1),
            r"optimizer.state.0.exp_avg: expected torch.float32 (3, 2), found",
        ),
        ("optimizer/state/0/exp_avg", None, "optimizer.state.0.exp_avg: expected a tensor"),
        ("optimizer/state", {9: {}}, "optimizer.state: 9 is not a parameter of this run"),
        ("optimizer/param_groups", [], "optimizer.param_groups: not the parameter groups of this run"),
        ("optimizer/param_groups/0/lr", "fast", "optimizer.param_groups.0.lr: expected a number, found 'fast'"),
        ("scaler/scale", None, "scaler: expected _growth_tracker, backoff_factor"),
        ("means/sums", {"loss": "x"}, "means.sums.loss: expected a number, found 'x'"),
        ("means/count", None, "means: expected count, sums, found sums"),
    ],
)
def test_entries_that_do_not_fit_are_named(saved, name, value, message):
    content = torch.load(saved, weights_only=True)
    set_entry(content, name, value)
    torch.save(content, saved)
    with pytest.raises(ValueError, match=f"^{re.escape(str(saved))} .*{re.escape(message)}") as error:
        restore(load_checkpoint(saved), parts(), ALONE)
    assert "\n" not in str(error.value)


def test_a_checkpoint_of_another_network_is_refused(saved):
    with pytest.raises(
        ValueError, match=r"network\.weight: expected torch.float32 \(5, 2\), found torch.float32 \(3, 2\)"
    ):
        restore(load_checkpoint(saved), parts(width=5), ALONE)


def test_a_truncated_checkpoint_is_refused_by_name(saved):
    saved.write_bytes(saved.read_bytes()[:-500])
    with pytest.raises(ValueError, match=f"^{re.escape(str(saved))} .* cannot be read as tensors"):
        load_checkpoint(saved)
