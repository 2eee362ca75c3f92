"""The head for clicks learns, its losses and boxes are what they say, and a run that was stopped goes on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from click_sets import bright_disc, write_picture

from livos.acceleration.accelerate import without_batch_norms
from livos.clicks.clicker import Clicker, network_with_head
from livos.clicks.head import NO_CLICK, OUTSIDE
from livos.files.tensor_files import load_tensors, save_tensors
from livos.loading import load_model
from livos.training import click_trainer
from livos.training.click_data import SHARES, Picture
from livos.training.click_trainer import (
    BOX_SHARE,
    ClickSettings,
    ClickTrainer,
    click_loss,
    drawn_boxes,
    lists_of_clicks,
)

TINY = {"iterations": 6, "cooldown": 3, "batch_size": 2, "size": 32}


@pytest.fixture(scope="module")
def network():
    return without_batch_norms(load_model("lite").eval())


@pytest.fixture
def pictures(tmp_path):
    """One picture, which every set has."""
    image, mask = bright_disc(1)
    write_picture(tmp_path / "pictures", tmp_path / "pictures", "disc", image, mask)
    picture = Picture(tmp_path / "pictures" / "disc.jpg", tmp_path / "pictures" / "disc.png")
    return {name: [picture] for name in SHARES}


@pytest.fixture
def new_trainer(network, pictures, tmp_path):
    """Makes trainers that have their files in a folder of that name."""

    def make(name: str = "run", **changes) -> ClickTrainer:
        (tmp_path / name).mkdir(exist_ok=True)
        return ClickTrainer(network, pictures, ClickSettings(**{**TINY, **changes}), tmp_path / name)

    return make


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_a_head_learns_the_one_picture_it_is_shown(new_trainer):
    trainer = new_trainer(iterations=28, cooldown=8, size=64, learning_rate=5e-3)
    encoder = {name: x.clone() for name, x in trainer.encoder.state_dict().items()}
    image, mask = bright_disc(1)
    middle = [(*np.argwhere(mask).mean(0)[::-1], 1)]
    trainer.save()
    before = iou(Clicker(image, network_with_head(trainer.weights_path)).mask(middle), mask)
    steps = [trainer.step() for _ in range(28)]
    trainer.save()
    after = iou(Clicker(image, network_with_head(trainer.weights_path)).mask(middle), mask)

    losses, last_answers = [loss for loss, _ in steps], [overlaps[-1] for _, overlaps in steps]
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
    assert np.mean(last_answers[-5:]) > 0.8 > 0.5 > np.mean(last_answers[:3])
    assert after > 0.8 > 0.5 > before
    assert all(torch.equal(x, encoder[name]) for name, x in trainer.encoder.state_dict().items())


def test_a_saved_run_goes_on_bit_for_bit(new_trainer):
    whole, first = new_trainer("whole"), new_trainer("parts")
    for _ in range(6):
        whole.step()
    for _ in range(2):
        first.step()
    first.save()
    rest = new_trainer("parts")
    assert rest.iteration == 2
    for _ in range(4):
        rest.step()
    whole.save(), rest.save()
    assert whole.weights_path.read_bytes() == rest.weights_path.read_bytes()
    states = [load_tensors(trainer.path) for trainer in (whole, rest)]
    for part in ("head", "average"):
        assert all(torch.equal(states[0][part][name], x) for name, x in states[1][part].items())
    for index, moments in states[0]["optimizer"]["state"].items():
        assert all(torch.equal(x, states[1]["optimizer"]["state"][index][name]) for name, x in moments.items())


def test_another_seed_gives_another_head(new_trainer):
    one, other = new_trainer("one"), new_trainer("other", seed=1)
    assert one.step()[0] != other.step()[0]


def test_the_learning_rate_rises_stays_and_falls():
    settings = ClickSettings(iterations=200, cooldown=40, learning_rate=1.0)
    rates = [settings.learning_rate_at(iteration) for iteration in range(200)]
    assert rates[:2] == [1 / 50, 2 / 50] and set(rates[49:161]) == {1.0}
    assert rates[180] == 0.5 and rates[199] == 1 / 40
    assert ClickSettings(iterations=200, cooldown=0, learning_rate=1.0).learning_rate_at(199) == 1.0


def test_each_step_uses_the_learning_rate_of_its_iteration(new_trainer):
    trainer = new_trainer()
    used = []
    for _ in range(6):
        trainer.step()
        used.append(trainer.optimizer.param_groups[0]["lr"])
    assert used == pytest.approx([1.5e-3 * (i + 1) / 50 * left for i, left in enumerate((1, 1, 1, 1, 2 / 3, 1 / 3))])


def test_going_on_with_other_settings_is_said(new_trainer, caplog):
    new_trainer().save()
    new_trainer()
    assert not caplog.records
    new_trainer(iterations=8, seed=3)
    assert caplog.messages == ["continuing with other settings: iterations 8 (was 6), seed 3 (was 0)"]


def test_a_state_without_settings_is_read(new_trainer):
    trainer = new_trainer()
    trainer.step()
    trainer.save()
    state = load_tensors(trainer.path)
    del state["settings"]
    save_tensors(state, trainer.path)
    assert new_trainer().iteration == 1


def cut(state: dict, path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def without_average(state: dict, path) -> None:
    save_tensors({name: part for name, part in state.items() if name != "average"}, path)


def with_nan(state: dict, path) -> None:
    next(iter(state["head"].values())).fill_(math.nan)
    save_tensors(state, path)


def with_another_shape(state: dict, path) -> None:
    state["average"]["last.1.bias"] = torch.zeros(3)
    save_tensors(state, path)


def of_another_program(state: dict, path) -> None:
    save_tensors([1, 2, 3], path)


@pytest.mark.parametrize("harm", [cut, without_average, with_nan, with_another_shape, of_another_program])
def test_a_damaged_state_is_named(new_trainer, harm):
    trainer = new_trainer()
    trainer.save()
    harm(load_tensors(trainer.path), trainer.path)
    with pytest.raises(ValueError, match=r"last\.pth.*damaged"):
        new_trainer()


@pytest.mark.parametrize("harm", [math.nan, math.inf])
def test_a_step_that_is_not_finite_changes_no_weights(new_trainer, monkeypatch, harm):
    trainer = new_trainer()
    weights = [x.clone() for x in trainer.head.parameters()]
    monkeypatch.setattr(click_trainer, "click_loss", lambda logits, masks: logits.mean() * harm)
    with pytest.raises(FloatingPointError, match="iteration 0: the loss is"):
        trainer.step()
    assert trainer.iteration == 0
    assert all(torch.equal(x, y) for x, y in zip(trainer.head.parameters(), weights, strict=True))


def test_a_set_without_pictures_is_refused_before_training(network, pictures, tmp_path):
    pictures["ccp"] = []
    with pytest.raises(ValueError, match="no pictures to train on in ccp"):
        ClickTrainer(network, pictures, ClickSettings(**TINY), tmp_path)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("iterations", 0),
        ("batch_size", 0),
        ("cooldown", -1),
        ("cooldown", 7),
        ("size", 40),
        ("size", 16),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("learning_rate", math.inf),
        ("seed", -1),
    ],
)
def test_a_number_that_cannot_be_used_is_named(name, number):
    with pytest.raises(ValueError, match=f"^{name} is {number}: expected"):
        ClickSettings(**{**TINY, name: number})


def test_the_loss_of_undecided_logits_is_that_of_its_definition():
    masks = torch.zeros(1, 1, 8, 8)
    masks[..., :4] = 1
    soft_iou = (16 + 1) / (48 + 1)  # the halves that both have, and the halves that either has, of 64 pixels
    expected = 0.5 * math.log(2) / 0.52 + math.log(2) + 1 - soft_iou
    assert click_loss(torch.zeros(1, 1, 8, 8), masks).item() == pytest.approx(expected, rel=1e-5)


def test_the_loss_is_nothing_for_the_true_mask_and_largest_for_its_opposite():
    masks = (torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    right, wrong = 20 * (2 * masks - 1), 20 * (1 - 2 * masks)
    assert click_loss(right, masks) < 1e-3 < 2 < click_loss(torch.zeros_like(masks), masks) < click_loss(wrong, masks)


def test_boxes_are_about_a_quarter_of_the_objects_and_a_little_off():
    masks = np.zeros((400, 32, 40), bool)
    masks[:, 6:26, 8:38] = True
    boxes = drawn_boxes(masks, np.random.default_rng(0))
    given = boxes[boxes.isfinite().all(1)]
    assert len(given) == pytest.approx(BOX_SHARE * 400, abs=40)
    assert boxes.isnan().all(1).sum() == 400 - len(given)
    off = given - torch.tensor([8.0, 6.0, 38.0, 26.0])
    assert off.mean(0).abs().max() < 0.5 and off.std(0).numpy() == pytest.approx([1.2, 0.8, 1.2, 0.8], rel=0.3)


def test_lists_of_clicks_are_filled_up_with_unused_places():
    filled = lists_of_clicks([[(3.5, 4.5, OUTSIDE)], [], [(1.0, 2.0, 1), (5.0, 6.0, 1)]])
    assert filled.shape == (3, 2, 3)
    assert filled[0].tolist() == [[3.5, 4.5, OUTSIDE], [0, 0, NO_CLICK]]
    assert filled[1, :, 2].tolist() == [NO_CLICK, NO_CLICK]
    assert lists_of_clicks([[], []]).shape == (2, 1, 3), "the head takes one place or more"
