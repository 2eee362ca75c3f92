from dataclasses import replace

import pytest
import torch
from tiny_training import gradients_of, make_step, portions_of_first_batch, tiny_network, tiny_stage
from training_data import write_videos

from livos.training.losses import LOSS_NAMES
from livos.training.modes import evaluating, recompute_activations, to_training_mode
from livos.training.optimizer import make_optimizer
from livos.training.step import point_generator, prepare_example


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    return write_videos(tmp_path_factory.mktemp("data"))


def portions(videos, **stage):
    return portions_of_first_batch(videos, tiny_stage(**stage))


def broken(portion):
    """The same clips, one of which has a colour matrix that is not a number."""
    numbers, batch = portion
    spread = batch.colour.spread.clone()
    spread[1] = float("nan")
    return numbers, replace(batch, colour=replace(batch.colour, spread=spread))


@pytest.mark.parametrize("accumulation", [2, 4])
def test_accumulated_gradients_are_those_of_the_whole_batch(videos, accumulation):
    gradients = []
    for parts in (1, accumulation):
        stage = tiny_stage(batch_size=4, accumulation=parts, clip_gradient_norm=1e9)
        network = tiny_network(batch_norm="frozen")
        result = make_step(network, stage)(0, portions_of_first_batch(videos, stage))
        gradients.append(gradients_of(network) | result.losses)
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_gradients_are_clipped_to_the_norm_asked_for(videos):
    network, stage = tiny_network(), tiny_stage(clip_gradient_norm=0.5)
    result = make_step(network, stage)(0, portions(videos))
    assert result.gradient_norm > 0.5
    norm = torch.stack([gradient.norm() for gradient in gradients_of(network).values()]).norm()
    assert norm.item() == pytest.approx(0.5, rel=1e-3)


def test_a_step_moves_every_weight(videos):
    network, stage = tiny_network(), tiny_stage()
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    step = make_step(network, stage)
    step.optimizer = make_optimizer(network, stage)
    assert step(0, portions(videos)).moved
    assert [name for name, parameter in network.named_parameters() if torch.equal(parameter, before[name])] == []


def test_a_step_with_a_past_learns_from_the_frames_after_it(videos):
    def result(gradient_frames):
        stage = tiny_stage(gradient_frames=gradient_frames)
        return make_step(tiny_network(batch_norm="frozen"), stage)(0, portions_of_first_batch(videos, stage))

    whole, last = result(None), result(1)
    assert last.moved and last.losses.keys() == whole.losses.keys()
    assert all(last.losses[name] != whole.losses[name] for name in LOSS_NAMES)


def test_no_frames_to_learn_from_are_refused():
    with pytest.raises(ValueError, match="gradient_frames=0 must be 1 or more"):
        make_step(tiny_network(), tiny_stage(gradient_frames=0))


def test_a_loss_that_is_not_finite_changes_nothing_and_names_the_clip(videos):
    network = tiny_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    step = make_step(network, tiny_stage())
    step.optimizer = make_optimizer(network, tiny_stage())
    clips = portions(videos)
    result = step(0, [broken(portion) for portion in clips])
    assert not result.moved and not result.overflowed
    assert clips[0][1].names[1] in result.failed_clips
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_too_large_a_gradient_scale_is_lowered_and_is_not_a_failure(videos):
    network = tiny_network()
    step = make_step(network, tiny_stage(), precision="bfloat16")
    step.scaler = torch.amp.GradScaler("cpu", init_scale=3e38)
    result = step(0, portions(videos))
    assert result.overflowed and not result.moved
    assert step.scaler.get_scale() == pytest.approx(1.5e38)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precisions_give_about_the_same_loss(videos, precision):
    losses = []
    for name in ("float32", precision):
        step = make_step(tiny_network(), tiny_stage(), precision=name)
        step.scaler = torch.amp.GradScaler("cpu", init_scale=256.0, enabled=name == "float16")
        result = step(0, portions(videos))
        assert result.moved
        losses.append(sum(result.losses.values()).item())
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
    assert losses[1] != losses[0]


def test_recomputed_activations_change_neither_gradients_nor_statistics(videos):
    networks = [tiny_network(), tiny_network()]
    recompute_activations(networks[1])
    for network in networks:
        make_step(network, tiny_stage())(0, portions(videos))
    for name, gradient in gradients_of(networks[0]).items():
        torch.testing.assert_close(gradients_of(networks[1])[name], gradient, msg=name)
    for (name, first), second in zip(networks[0].named_buffers(), networks[1].buffers(), strict=True):
        assert torch.equal(first, second), name


def test_there_is_a_slot_for_each_object_of_the_fullest_clip(videos):
    ((_, batch),) = portions(videos, batch_size=4)
    example = prepare_example(batch, torch.device("cpu"))
    num_slots = max(example.num_objects)
    assert example.first_masks.shape == (4, num_slots, 32, 32)
    assert example.selector.sum(1).tolist() == example.num_objects
    assert torch.equal(example.first_masks.sum((2, 3)) > 0, example.selector)
    assert example.images.min() >= 0 and example.images.max() <= 1


def test_padding_slots_take_part_if_asked_as_published(videos):
    ((_, batch),) = portions(videos)
    example = prepare_example(batch, torch.device("cpu"), padding_slots=5)
    assert example.first_masks.shape[1] == 5 and example.selector is None


def test_points_depend_on_the_seed_and_the_clip_alone():
    def draw(seed: int, clip: int) -> list[float]:
        return torch.rand(3, generator=point_generator(seed, clip, torch.device("cpu"))).tolist()

    assert draw(1, 5) == draw(1, 5)
    assert len({tuple(draw(seed, clip)) for seed in (1, 2) for clip in (5, 6)}) == 4
    known = [point_generator(*pair, torch.device("cpu")).initial_seed() for pair in ((0, 0), (3, 7))]
    assert known == [7896617691693857887, 4782766539338417736]  # whatever the version of NumPy


def test_frozen_batch_norm_keeps_its_statistics_but_learns_its_scale():
    network = tiny_network(batch_norm="frozen")
    norm = network.image_encoder.bn1
    assert not norm.training and norm.weight.requires_grad and network.training
    with evaluating(network, "frozen"):
        assert not network.training and not torch.is_grad_enabled()
    assert network.training and not norm.training and torch.is_grad_enabled()
    to_training_mode(network, "train")
    assert norm.training


def test_losses_are_given_for_each_part(videos):
    result = make_step(tiny_network(), tiny_stage())(0, portions(videos))
    assert list(result.losses) == list(LOSS_NAMES)
    assert all(loss.ndim == 0 and loss > 0 for loss in result.losses.values())
    assert result.moved and result.failed_clips == []
