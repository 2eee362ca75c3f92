"""What a step would do on a GPU, shown without one: devices, types, waiting and memory.

Several processes and `batch_norm=sync` are not shown: PyTorch has no fake version of the latter's operations, and its
own code for it waits for the GPU.
"""

from dataclasses import replace
from unittest import mock

import pytest
import torch
from pretended_training import backward, pretended_batch, pretended_training
from tiny_network import tiny_network
from tiny_training import tiny_stage
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from livos import build_model
from livos.config.schema import LossConfig
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
from livos.training.modes import recompute_activations
from livos.training.optimizer import make_optimizer
from livos.training.step import StepResult, TrainingStep


def indexing_asks_the_driver() -> bool:
    """Whether this PyTorch wants a GPU for `x[0]`, as 2.4 does, even of tensors that hold no numbers."""
    try:
        with pretended_gpu():
            torch.empty(2, device=CUDA)[0]
    except RuntimeError:
        return True
    return False


pytestmark = pytest.mark.skipif(indexing_asks_the_driver(), reason="this PyTorch asks for a GPU to index a tensor")

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


class UnreadStep(TrainingStep):
    """A step that takes for granted that its losses and gradients are finite, for which the CPU waits once."""

    def judge(self, losses, names):
        self.clip(losses)
        return StepResult(losses, gradient_norm=1.0, moved=True, overflowed=False, failed_clips=[])


class ConvolutionTypes(TorchDispatchMode):
    """Notes the types in which convolutions and their gradients are computed."""

    def __init__(self):
        super().__init__()
        self.types = {"convolution": set(), "convolution_backward": set()}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        kind = func.__name__.split(".")[0]
        if kind in self.types:
            self.types[kind] |= {x.dtype for x in tree_leaves((args, result)) if isinstance(x, torch.Tensor)}
        return result


def training_step(network, precision="float32"):
    stage = tiny_stage()
    scaler = torch.amp.GradScaler("cuda", enabled=precision == "float16")
    optimizer = make_optimizer(network, stage)
    return UnreadStep(network, optimizer, scaler, stage, LossConfig(), precision, 0, None, CUDA)


def run_on_pretended_gpu(network, precision="float32"):
    """One step on a batch of two clips: the step, its result, and the types of its convolutions."""
    with pretended_training([2, 1]), ConvolutionTypes() as convolutions:
        move(network)
        step = training_step(network, precision)
        result = step(0, [([0, 1], pretended_batch(num_clips=2, num_frames=3, size=(32, 48)))])
    return step, result, convolutions.types


@pytest.mark.parametrize("recomputed", [False, True])
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_a_training_step_stays_on_the_gpu_in_the_documented_types(precision, recomputed):
    network = tiny_network().train()
    if recomputed:
        recompute_activations(network)
    step, result, convolutions = run_on_pretended_gpu(network, precision)
    network_type = HALF.get(precision, torch.float32)
    assert convolutions == {"convolution": {network_type}, "convolution_backward": {network_type}}
    averages = [x for kept in step.optimizer.state.values() for x in kept.values()]
    assert len(averages) == 3 * len(list(network.parameters()))
    kept = [*network.parameters(), *(p.grad for p in network.parameters()), *averages, *result.losses.values()]
    assert {(x.device, x.dtype) for x in kept} == {(CUDA, torch.float32)}
    if precision == "float16":
        assert (step.scaler._scale.device, step.scaler._scale.dtype) == (CUDA, torch.float32)


class Faulty(torch.autograd.Function):
    """Returns its input; in the backward pass it does what it was given to do."""

    @staticmethod
    def forward(ctx, x, fault):
        ctx.fault = fault
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return ctx.fault(gradient), None


FAULTS = {
    "a number is read": (lambda x: x * x.sum().item(), "_local_scalar_dense"),
    "a tensor is moved": (lambda x: x.cpu(), "would wait"),
    "a tensor was never moved": (lambda x: x + torch.ones(3), "cuda:0.*cpu"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("place", ["forward", "backward"])
def test_a_fault_in_a_training_step_is_noticed(name, place):
    fault, complaint = FAULTS[name]
    network = tiny_network().train()
    encode = network.encode

    def faulty_encode(images):
        features = encode(images)
        gate = features.gate
        x = gate[0, :3]
        x = fault(x) if place == "forward" else Faulty.apply(x, fault)
        return replace(features, gate=gate + x.sum())

    network.encode = faulty_encode
    with pytest.raises(Exception, match=complaint):
        run_on_pretended_gpu(network)


def test_the_backward_pass_without_a_driver_gives_the_gradients_of_pytorchs(monkeypatch):
    """Computed on the CPU with numbers, with activations kept and recomputed."""

    def gradients(recomputed, engine):
        network = tiny_network().train()
        if recomputed:
            recompute_activations(network)
        generator = torch.Generator().manual_seed(0)
        images, masks = (torch.rand(2, *shape, 32, 48, generator=generator) for shape in [(3, 3), (2,)])
        predictions = network(images, masks.round(), None)
        loss = sum(p.logits.sin().mean() + p.query_logits.mean() + p.sensory_logits.mean() for p in predictions)
        engine(loss)
        return {name: p.grad for name, p in network.named_parameters()}

    expected = gradients(False, torch.autograd.backward)
    monkeypatch.setattr("torch._C._current_graph_task_id", lambda: 1)
    for recomputed in (False, True):
        torch.testing.assert_close(gradients(recomputed, backward), expected, rtol=1e-4, atol=1e-6)


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
