"""Properties of the network that hold for any weights."""

import pytest
import torch
from tiny_network import TINY, tiny_network
from torch.nn import functional as F

from livos.build import build_model, model_config, model_names
from livos.model.layers import in_object_chunks
from livos.model.masks import aggregate, aggregate_masks, others, pad, padding_of, to_cells, unpad


@pytest.fixture(scope="module")
def network():
    return tiny_network()


def clip(frames: int = 3, objects: int = 2, batch: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(batch, frames, 3, 32, 48, generator=generator)
    owner = torch.randint(0, objects + 1, (batch, 32, 48), generator=generator)
    return images, torch.stack([(owner == slot).float() for slot in range(1, objects + 1)], dim=1)


def stream(network, images: torch.Tensor, masks: torch.Tensor, **options) -> list[torch.Tensor]:
    """Logits of frames 1.. of one clip, a frame at a time."""
    frames = [network.encode(image[None]) for image in images[0]]
    state = network.remember(frames[0], masks, network.begin(frames[0], masks.shape[1]), **options)
    logits = []
    for features in frames[1:]:
        prediction, state = network.segment(features, state, **options)
        state = network.remember(features, prediction.logits.softmax(dim=1)[:, 1:], state, **options)
        logits.append(prediction.logits)
    return logits


@torch.inference_mode()
def test_clip_and_stream_agree(network):
    images, masks = clip(frames=4)
    for ours, streamed in zip(network(images, masks), stream(network, images, masks), strict=True):
        torch.testing.assert_close(ours.logits, streamed, rtol=1e-4, atol=1e-4)


def test_the_past_of_a_clip_fills_the_memory_and_passes_no_gradients_on(network):
    images, masks = clip(frames=6)
    whole = network(images, masks)
    images.requires_grad_()
    last = network(images, masks, gradient_frames=2)
    assert len(last) == 2
    for short, full in zip(last, whole[-2:], strict=True):
        torch.testing.assert_close(short.logits, full.logits, rtol=1e-4, atol=1e-4)
    (gradients,) = torch.autograd.grad(last[-1].logits.square().mean(), images)
    assert [bool(of_frame.any()) for of_frame in gradients[0]] == [False] * 4 + [True] * 2


def test_a_clip_without_a_past_is_segmented_as_ever(network):
    images, masks = clip(frames=3)
    for ours, expected in zip(network(images, masks, gradient_frames=3), network(images, masks), strict=True):
        assert torch.equal(ours.logits, expected.logits)


@torch.inference_mode()
def test_shuffling_objects_shuffles_masks(network):
    images, masks = clip(objects=3)
    order = [2, 0, 1]
    straight, shuffled = network(images, masks)[-1].logits, network(images, masks[:, order])[-1].logits
    torch.testing.assert_close(shuffled[:, 1:], straight[:, 1:][:, order], rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_chunks_of_objects_do_not_change_the_result(network):
    images, masks = clip(objects=5)
    for whole, chunked in zip(
        stream(network, images, masks), stream(network, images, masks, chunk_size=2), strict=True
    ):
        torch.testing.assert_close(whole, chunked, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_frames_encoded_together_are_as_frames_encoded_alone(network):
    images, _ = clip(frames=3)
    together = network.encode(images[0])
    for t in range(3):
        alone = network.encode(images[0, t : t + 1])
        for name, x in vars(together[t]).items():
            torch.testing.assert_close(x, getattr(alone, name), rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_clips_of_a_batch_do_not_mix(network):
    images, masks = clip(batch=2)
    both = network(images, masks)[-1].logits
    torch.testing.assert_close(both[1:], network(images[1:], masks[1:])[-1].logits, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_selector_takes_empty_slots_out(network):
    images, masks = clip(objects=2)
    padded = torch.cat([masks, torch.zeros_like(masks[:, :1])], dim=1)
    selector = torch.tensor([[True, True, False]])
    expected = network(images, masks)[-1].logits.softmax(dim=1)
    ours = network(images, padded, selector)[-1].logits.softmax(dim=1)
    torch.testing.assert_close(ours[:, :3], expected, rtol=1e-3, atol=1e-4)
    assert (ours[:, 3] < 1e-6).all()


def test_state_does_not_grow_and_is_never_changed(network):
    images, masks = clip(frames=5)
    sizes = []
    with torch.inference_mode():
        state = None
        for image in images[0]:
            features = network.encode(image[None])
            state = network.begin(features, 2) if state is None else state
            before = state.sensory.clone()
            _, segmented = network.segment(features, state)
            remembered = network.remember(features, masks, segmented)
            assert torch.equal(state.sensory, before)
            state = remembered
            sizes.append([x.numel() for x in (state.memory.state, state.memory.mean_keys, state.sensory)])
    assert sizes[1:] == sizes[:-1]


def test_auxiliary_logits_come_in_training_only():
    images, masks = clip()
    assert tiny_network().eval()(images, masks)[0].query_logits is None
    prediction = tiny_network().train()(images, masks)[0]
    assert prediction.query_logits.shape == (1, 3, TINY.num_blocks + 1, 2, 3)
    assert prediction.sensory_logits.shape == (1, 3, 2, 3)


def test_every_weight_learns():
    network = tiny_network().train()
    images, masks = clip(frames=3)
    loss = sum(
        p.logits.square().mean() + p.query_logits.mean() + p.sensory_logits.mean() for p in network(images, masks)
    )
    loss.backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


def test_every_weight_learns_after_a_past_in_lower_precision():
    network = tiny_network().train()
    images, masks = clip(frames=5)
    with torch.autocast("cpu", torch.bfloat16):
        predictions = network(images, masks, gradient_frames=3)
    sum(p.logits.square().mean() + p.query_logits.mean() + p.sensory_logits.mean() for p in predictions).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("name", ["lite", "convnext_tiny"])
@torch.inference_mode()
def test_other_encoders_give_masks_of_the_image_size(name):
    images, masks = clip(frames=2)
    assert build_model(name, seed=0)(images, masks)[0].logits.shape == (1, 3, 32, 48)


def test_every_named_model_has_settings():
    assert {"base", "small", "lite", "convnext_tiny", "convnext_small", "convnext_base"} <= set(model_names())
    for name in model_names():
        assert model_config(name).decoder_dims[0] == model_config(name).value_dim


def test_unknown_models_and_settings_are_refused_by_name():
    with pytest.raises(ValueError, match=r"'large'.*base.*small"):
        build_model("large")
    with pytest.raises(ValueError, match=r"keydim.*key_dim"):
        build_model("base", keydim=3)
    with pytest.raises(ValueError, match="unknown backbone 'vgg'"):
        build_model("base", image_encoder="vgg")
    with pytest.raises(ValueError, match="strides"):
        build_model("base", image_encoder="timm/vit_tiny_patch16_224")


@pytest.mark.parametrize("cap", [0, -1])
def test_a_memory_cap_of_no_frames_is_refused(cap):
    with pytest.raises(ValueError, match=f"memory_cap={cap}: expected at least 1 frame"):
        build_model("lite", memory_cap=cap)


def test_seed_makes_the_same_weights_and_leaves_the_global_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    first, second = tiny_network(seed=3), tiny_network(seed=3)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first.key_projector.layer1.weight, second.key_projector.layer1.weight)


def test_probabilities_of_aggregated_objects_sum_to_one():
    total = aggregate(torch.randn(2, 3, 4, 5)).softmax(dim=1).sum(dim=1)
    torch.testing.assert_close(total, torch.ones_like(total))
    masks = torch.randint(0, 2, (2, 3, 4, 5)).float()
    torch.testing.assert_close(aggregate_masks(masks).sum(dim=1), torch.ones_like(total))


def test_background_is_where_no_object_is():
    probabilities = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    expected = torch.logit(torch.cat([(1 - probabilities).prod(dim=1, keepdim=True), probabilities], dim=1))
    torch.testing.assert_close(aggregate(torch.logit(probabilities)).double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_certain_objects_stay_finite_and_differentiable(dtype):
    logits = torch.tensor([-100.0, -20, -9, 0, 9, 20, 100], dtype=dtype)
    logits = torch.cartesian_prod(logits, logits).T[None, :, :, None].clone().requires_grad_()
    result = aggregate(logits)
    result.softmax(dim=1).square().sum().backward()
    assert result.isfinite().all() and result.abs().max() < 16.2 and logits.grad.isfinite().all()


def test_an_empty_slot_is_as_if_it_were_not_there():
    logits, selector = torch.randn(1, 3, 4, 5), torch.tensor([[True, False, True]])
    assert torch.equal(aggregate(logits, selector)[:, [0, 1, 3]], aggregate(logits[:, [0, 2]]))


@pytest.mark.parametrize("rest", range(16))
def test_unpadding_undoes_padding_for_every_remainder(rest):
    image = torch.rand(1, 16 + rest, 48 - rest)
    padded = pad(image, padding_of(*image.shape[-2:]))
    assert padded.shape[-2] % 16 == padded.shape[-1] % 16 == 0
    assert torch.equal(unpad(padded, padding_of(*image.shape[-2:])), image)


def test_extra_padding_pixel_is_at_the_bottom_and_the_right():
    assert padding_of(17, 31) == (0, 1, 7, 8)


def test_masks_on_cells_are_shares_of_area():
    masks = torch.zeros(1, 1, 16, 32)
    masks[..., :8, :16] = 1
    assert to_cells(masks).flatten().tolist() == [0.5, 0.0]
    torch.testing.assert_close(to_cells(masks), F.interpolate(masks, scale_factor=1 / 16, mode="area"))


def test_others_of_a_single_object_are_nothing():
    assert (others(torch.rand(1, 1, 2, 2)) == 0).all()


def test_chunks_join_tuples_of_results():
    x = torch.arange(10.0).reshape(1, 5, 2)
    doubled, halved = in_object_chunks(lambda t: (2 * t, t / 2), 2, x)
    assert torch.equal(doubled, 2 * x) and torch.equal(halved, x / 2)
