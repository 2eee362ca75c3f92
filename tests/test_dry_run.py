"""What a step would do on a GPU, shown without one: devices, types, waiting and memory."""

from unittest import mock

import pytest
import torch
from tiny_network import tiny_network

from livos import build_model
from livos.segmenter.dry_run import (
    CUDA,
    MemoryMeter,
    NoWaiting,
    StripedMasks,
    measure_step,
    move,
    pretended_gpu,
    segmenter_on_pretended_gpu,
)

SIZE = (34, 50)
HALF = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@pytest.mark.parametrize(
    ("precision", "settings"),
    [
        ("float32", {"chunk_size": 1}),
        ("tf32", {}),
        ("bfloat16", {"flip": True}),
        ("float16", {"size": 64, "chunk_size": 2}),
    ],
)
def test_a_step_stays_on_the_gpu_in_the_documented_types(precision, settings):
    segmenter = segmenter_on_pretended_gpu(tiny_network(), precision=precision, **settings)
    with pretended_gpu(), NoWaiting():
        move(segmenter.network)
        for first_id in (1, None, 2, 1, None):  # two objects, none, one new and one corrected, two corrected, none
            frame = segmenter.encode([torch.empty(3, *SIZE, device=CUDA)])[0]
            labels = None if first_id is None else torch.empty(0)
            with mock.patch("livos.segmenter.segmenter.GivenMasks", StripedMasks(2, first_id or 1)):
                result = segmenter.step(frame, labels)
        assert result.object_ids == [1, 2, 3] and result.probabilities.shape == (4, *SIZE)
        video, features = segmenter.state().video, frame.features
        kept = [result.probabilities, features.key, features.gate, *vars(video.memory).values()]
        kept += [video.mean_summary, video.sensory, video.last_masks]
        assert {(x.device, x.dtype) for x in kept} == {(CUDA, torch.float32)}
        network_type = HALF.get(precision, torch.float32)
        assert {features.pixel_feature.dtype, features.skip8.dtype, features.skip4.dtype} == {network_type}


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_training_pass_stays_on_the_gpu_in_the_documented_types(precision):
    network = tiny_network().train()
    with pretended_gpu(), NoWaiting():  # the backward pass asks the driver, so it cannot be shown without a GPU
        move(network)
        images, masks = torch.empty(2, 3, 3, 32, 48, device=CUDA), torch.empty(2, 2, 32, 48, device=CUDA)
        selector = torch.ones(2, 2, dtype=torch.bool, device=CUDA)
        with torch.autocast("cuda", HALF[precision]):
            predictions = network(images, masks, selector)
        parts = [x for p in predictions for x in (p.logits, p.sensory_logits, p.query_logits)]
        assert {(x.device, x.dtype) for x in parts} == {(CUDA, torch.float32)} and all(x.requires_grad for x in parts)


def test_waiting_for_the_gpu_is_noticed():
    with pretended_gpu(), NoWaiting():
        x = torch.ones(3, device=CUDA)
        with pytest.raises(RuntimeError, match="would wait"):
            x.cpu()
        with pytest.raises(Exception, match="_local_scalar_dense"):
            x.sum().item()


def test_a_tensor_on_the_wrong_device_is_noticed():
    with pretended_gpu(), pytest.raises(RuntimeError, match="device"):
        torch.ones(3, device=CUDA) + torch.ones(3)


def test_memory_is_counted_while_it_lives_and_views_once():
    with pretended_gpu(), MemoryMeter() as meter:
        x = torch.empty(1024, device=CUDA)
        view = x[10:]
        y = x + 1
        del x
        assert meter.in_use == 2 * 4096  # the view still needs it
        del view, y
        assert (meter.in_use, meter.peak) == (0, 2 * 4096)


def test_chunks_and_half_precision_need_less_memory():
    network = build_model("lite", seed=0)  # of the tiny one, full-size probabilities are the most, whatever the chunks

    def peak(**settings) -> int:
        return measure_step(segmenter_on_pretended_gpu(network, **settings), (240, 432), 12).peak

    assert peak(precision="bfloat16") < peak() > peak(chunk_size=1)
