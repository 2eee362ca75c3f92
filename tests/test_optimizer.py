import pytest
import torch
from torch import nn

from livos.config.schema import StageConfig
from livos.training.optimizer import averaged, learning_rate_factor, make_optimizer, set_learning_rates


class Parts(nn.Module):
    """As many parameters as there are groups, named as in the network."""

    def __init__(self):
        super().__init__()
        self.image_encoder = nn.Linear(2, 2)
        self.object_transformer = nn.Module()
        self.object_transformer.query_init = nn.Embedding(2, 2)
        self.object_transformer.query_emb = nn.Embedding(2, 2)
        self.mask_decoder = nn.Linear(2, 2)


def test_groups_have_their_own_learning_rate_and_weight_decay():
    stage = StageConfig(learning_rate=2e-4, weight_decay=0.1, backbone_learning_rate_ratio=0.1)
    groups = {group["name"]: group for group in make_optimizer(Parts(), stage).param_groups}
    assert {name: len(group["params"]) for name, group in groups.items()} == {
        "backbone": 2,
        "embeddings": 2,
        "others": 2,
    }
    assert {name: group["weight_decay"] for name, group in groups.items()} == {
        "backbone": 0.1,
        "embeddings": 0.0,
        "others": 0.1,
    }
    assert groups["backbone"]["lr"] == pytest.approx(2e-5)
    assert groups["embeddings"]["lr"] == groups["others"]["lr"] == 2e-4


def test_the_published_behaviour_is_the_default_for_the_backbone():
    rates = {group["lr"] for group in make_optimizer(Parts(), StageConfig()).param_groups}
    assert rates == {1e-4}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", {0: 1.0, 99: 1.0}),
        ("step", {0: 1.0, 79: 1.0, 80: 0.1, 89: 0.1, 90: 0.01, 99: 0.01}),
        ("poly", {0: 1.0, 50: 0.5**0.9, 99: 0.01**0.9}),
    ],
)
def test_schedules(schedule, expected):
    stage = StageConfig(iterations=100, schedule=schedule, steps=[80, 90])
    assert {i: learning_rate_factor(i, stage) for i in expected} == pytest.approx(expected)


def test_warmup_grows_linearly_to_the_full_rate():
    stage = StageConfig(iterations=100, schedule="constant", warmup=4)
    assert [learning_rate_factor(i, stage) for i in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_learning_rates_are_set_from_those_at_the_start():
    optimizer = make_optimizer(Parts(), StageConfig(learning_rate=1.0, backbone_learning_rate_ratio=0.5))
    for factor in (0.1, 0.01):
        set_learning_rates(optimizer, factor)
        assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.5 * factor, factor, factor])


def test_averaged_weights_follow_with_a_decay_that_grows():
    layer = nn.Linear(1, 1, bias=False)
    average = averaged(layer, decay=0.5)
    values, expected = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0], []
    decays = []
    for step, value in enumerate(values):
        nn.init.constant_(layer.weight, value)
        average.update_parameters(layer)
        decay = min(0.5, (1 + step) / (10 + step))
        decays.append(decay)
        expected.append(value if step == 0 else decay * expected[-1] + (1 - decay) * value)
        assert average.module.weight.item() == pytest.approx(expected[-1])
    assert decays[0] < decays[1] < decays[-1] == 0.5  # it grows, and the last steps reached the decay asked for


def test_the_average_copies_batch_norm_statistics():
    network = nn.Sequential(nn.BatchNorm1d(2))
    average = averaged(network, decay=0.9)
    network(torch.randn(4, 2, generator=torch.Generator().manual_seed(0)))
    average.update_parameters(network)
    assert torch.equal(average.module[0].running_mean, network[0].running_mean)
