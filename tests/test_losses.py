from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from livos.config.schema import LossConfig
from livos.training.losses import LOSS_NAMES, cross_entropy, dice, losses_of_clips

RECORDED = Path(__file__).parent / "data" / "losses.npz"


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def random_predictions(num_clips: int, num_slots: int, num_frames: int = 2, levels: int = 2) -> list[SimpleNamespace]:
    random = generators(0)[0]
    return [
        SimpleNamespace(
            logits=torch.randn(num_clips, num_slots, 32, 32, generator=random),
            sensory_logits=torch.randn(num_clips, num_slots, 2, 2, generator=random),
            query_logits=torch.randn(num_clips, num_slots, levels, 2, 2, generator=random),
        )
        for _ in range(num_frames)
    ]


def random_labels(num_clips: int, num_objects: int, num_frames: int = 2) -> torch.Tensor:
    return torch.randint(0, num_objects + 1, (num_clips, num_frames, 32, 32), generator=generators(1)[0])


def losses(predictions, labels, num_objects, seeds, **settings) -> dict[str, torch.Tensor]:
    return losses_of_clips(predictions, labels, num_objects, LossConfig(**settings), 50, generators(*seeds))


@pytest.mark.parametrize("loss", [cross_entropy, dice])
def test_losses_are_those_that_were_recorded(loss):
    recorded = np.load(RECORDED)
    value = loss(torch.from_numpy(recorded["logits"]), torch.from_numpy(recorded["labels"]))
    assert value.item() == pytest.approx(float(recorded[loss.__name__]), rel=1e-6)


def test_an_empty_object_that_is_predicted_to_be_empty_costs_nothing():
    labels = torch.zeros(2, 3, 10)
    labels[:, 0] = 1.0
    assert dice(100 * labels, labels).item() == pytest.approx(0.0, abs=1e-6)
    assert cross_entropy(100 * labels, labels).item() == pytest.approx(0.0, abs=1e-6)


def test_slots_without_an_object_do_not_count():
    padded = random_predictions(num_clips=1, num_slots=4)
    exact = [SimpleNamespace(**{name: value[:, :3] for name, value in vars(frame).items()}) for frame in padded]
    labels = random_labels(1, 2)
    first, second = losses(padded, labels, [2], [7]), losses(exact, labels, [2], [7])
    assert list(first) == list(LOSS_NAMES)
    for name in LOSS_NAMES:
        torch.testing.assert_close(first[name], second[name])


def test_the_loss_of_a_clip_does_not_depend_on_the_clips_beside_it():
    predictions, labels = random_predictions(num_clips=3, num_slots=3), random_labels(3, 1)
    together = losses(predictions, labels, [2, 1, 2], [4, 5, 6])
    alone = [SimpleNamespace(**{name: value[1:2] for name, value in vars(frame).items()}) for frame in predictions]
    separately = losses(alone, labels[1:2], [1], [5])
    for name in LOSS_NAMES:
        torch.testing.assert_close(together[name][1:2], separately[name])


def test_auxiliary_losses_can_be_left_to_the_last_clip_as_published():
    predictions, labels = random_predictions(num_clips=3, num_slots=2), random_labels(3, 1)
    of_all = losses(predictions, labels, [1, 1, 1], [1, 2, 3])
    of_last = losses(predictions, labels, [1, 1, 1], [1, 2, 3], auxiliary_clips="last")
    for name in LOSS_NAMES[:2]:
        assert torch.equal(of_all[name], of_last[name])
    for name in LOSS_NAMES[2:]:
        assert of_last[name][:2].tolist() == [0.0, 0.0]
        assert of_last[name][2] == of_all[name][2] > 0


def test_weights_scale_the_auxiliary_losses_and_levels_add_up():
    predictions, labels = random_predictions(num_clips=1, num_slots=2, levels=3), random_labels(1, 1)
    once = losses(predictions, labels, [1], [1])
    twice = losses(predictions, labels, [1], [1], sensory_weight=0.02, query_weight=0.03)
    torch.testing.assert_close(twice["sensory_dice"], 2 * once["sensory_dice"])
    torch.testing.assert_close(twice["query_cross_entropy"], 3 * once["query_cross_entropy"])
    one_level = [SimpleNamespace(**{**vars(f), "query_logits": f.query_logits[:, :, :1]}) for f in predictions]
    assert losses(one_level, labels, [1], [1])["query_dice"] < once["query_dice"]
