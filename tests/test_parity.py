"""The network agrees with recordings from the published one (weights made from names and shapes)."""

import copy

import numpy as np
import pytest
import torch
from recorded import numbers, recorded_network, table

from livos import VideoSegmenter, build_model
from livos.model.masks import others

MODELS = ("base", "small")
SPACING = 2**-23  # of float32 numbers just below 1: a logit of x cannot be told more finely than SPACING * exp(|x|)


def difference(ours: torch.Tensor, recorded: np.ndarray) -> float:
    assert tuple(ours.shape) == recorded.shape
    return (ours.detach() - torch.from_numpy(recorded)).abs().max().item()


@pytest.mark.parametrize("model", MODELS)
def test_checkpoint_entries_are_the_published_ones(model):
    own = {
        name: {"shape": list(x.shape), "dtype": str(x.dtype).removeprefix("torch.")}
        for name, x in build_model(model).state_dict().items()
    }
    assert own == table(model)


@pytest.mark.parametrize("model", MODELS)
@torch.inference_mode()
def test_every_part_agrees(model):
    recorded = numbers(f"modules-{model}")
    network = recorded_network(model, int(recorded["weight_seed"]))
    image, masks = torch.from_numpy(recorded["image"]), torch.from_numpy(recorded["masks"])

    f4, f8, f16 = network.image_encoder(network.normalize(image))
    assert difference(f16, recorded["f16"]) < 1e-3
    assert difference(f8[:, ::8], recorded["f8"]) < 1e-3
    assert difference(f4[:, ::16], recorded["f4"]) < 1e-3
    features = network.encode(image)
    assert difference(features.pixel_feature, recorded["pixel_feature"]) < 1e-3
    assert difference(features.key, recorded["key_softmax"]) < 1e-5
    assert difference(features.gate, recorded["gate"]) < 1e-5

    image_part = network.mask_encoder.image_part(features.image)
    value = network.mask_encoder.value(image_part, features.pixel_feature, masks, others(masks))
    assert difference(value, recorded["value"]) < 1e-3
    state = network.remember(features, masks, network.begin(features, 2))
    assert difference(state.object_memory, recorded["object_memory"]) < 1e-3
    assert difference(state.memory.state, recorded["state"]) < 1e-3
    readout = state.memory.read(features.key)
    assert difference(readout, recorded["readout"]) < 1e-3

    fused = network.pixel_fuser(
        features.pixel_feature, readout, state.sensory, state.last_masks, others(state.last_masks)
    )
    assert difference(fused, recorded["fused_readout"]) < 1e-3
    refined, query_logits = network.object_transformer(fused, state.object_memory)
    assert difference(refined, recorded["object_transformer_output"]) < 1e-3
    for level, logits in enumerate(query_logits):
        assert difference(logits, recorded[f"query_logits_{level}"]) < 1e-3
    logits, _ = network.mask_decoder(refined, state.sensory, features.skip8, features.skip4)
    assert difference(logits, recorded["decoder_logits"]) < 1e-3


@pytest.mark.parametrize("model", MODELS)
@torch.inference_mode()
def test_segmenting_twice_agrees(model):
    # The recorded sensory memory and full-size logits come after a second pass over the same frame.
    recorded = numbers(f"modules-{model}")
    network = recorded_network(model, int(recorded["weight_seed"]))
    features = network.encode(torch.from_numpy(recorded["image"]))
    state = network.remember(features, torch.from_numpy(recorded["masks"]), network.begin(features, 2))
    _, state = network.segment(features, state)
    prediction, state = network.segment(features, state)
    assert difference(prediction.logits, recorded["logits"]) < 1e-3
    assert difference(prediction.logits.softmax(dim=1), recorded["probabilities"]) < 1e-3
    assert difference(state.sensory, recorded["sensory_after_decoder"]) < 1e-3
    assert difference(state.sensory, recorded["sensory_after_mask_encoder"]) < 1e-3  # the same tensor, recorded twice


@pytest.mark.parametrize("model", MODELS)
def test_videos_agree(model):
    recorded = numbers(f"inference-{model}")
    segmenter = VideoSegmenter(recorded_network(model, int(recorded["weight_seed"])), device="cpu")
    frames, ids = recorded["frames"], recorded["object_ids"]
    compared = 0
    for t, frame in enumerate(frames):
        last = t == len(frames) - 1
        if last:
            video = segmenter.state().video
            assert difference(video.memory.state, recorded["final_state"]) < 1e-3
            assert difference(video.memory.key_sums[:, 0], recorded["final_key_sum"]) < 1e-4
            memory = recorded["final_object_memory"]
            assert difference(video.object_memory, memory) < 1e-4 * np.abs(memory).max()
            assert difference(video.sensory.mean(dim=(3, 4)), recorded["final_sensory_mean"]) < 1e-3
        result = segmenter.step(frame, recorded.get(f"given_mask_{t:02d}"), last=last)
        if f"prob_{t:02d}" in recorded:
            assert difference(result.probabilities, recorded[f"prob_{t:02d}"]) < 1e-3
            compared += 1
        expected = np.array([0, *ids])[recorded["index_mask"][t]]
        assert (result.labels != expected).mean() < 1e-3
    assert result.object_ids == ids.tolist()
    assert compared >= 3


def test_training_agrees():
    recorded = numbers("training-base")
    network = copy.deepcopy(recorded_network("base", int(recorded["weight_seed"]))).train()
    images = torch.from_numpy(recorded["rgb"]).permute(0, 1, 4, 2, 3).float() / 255
    first = torch.from_numpy(recorded["class_gt"])[:, 0, 0]
    predictions = network(images, torch.stack([(first == slot).float() for slot in (1, 2, 3)], dim=1))
    for t, prediction in enumerate(predictions, start=1):
        pairs = {
            "logits": prediction.logits,
            "aux_sensory_logits": prediction.sensory_logits,
            "aux_query_logits": prediction.query_logits,
        }
        for name, ours in pairs.items():
            expected = recorded[f"{name}_{t}"]
            assert ours.shape == expected.shape
            assert (np.abs(ours.detach().numpy() - expected) <= 1e-2 + SPACING * np.exp(np.abs(expected))).all(), name
    loss = predictions[-1].logits.square().mean()
    assert loss.item() == pytest.approx(float(recorded["loss"]), rel=1e-3)
    loss.backward()
    parameters = dict(network.named_parameters())
    norms = {name.removeprefix("grad_norm:"): x for name, x in recorded.items() if name.startswith("grad_norm:")}
    assert len(norms) == 6
    for name, norm in norms.items():
        assert parameters[name].grad.norm().item() == pytest.approx(float(norm), rel=0.05), name
    assert difference(network.image_encoder.bn1.running_mean, recorded["running_mean_after"]) < 1e-4
    assert difference(network.mask_encoder.bn1.running_var, recorded["mask_encoder_running_var_after"]) < 1e-4
