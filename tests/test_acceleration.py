"""An accelerated network computes what the network computes, and does not change it."""

import copy
import pickle
from dataclasses import replace

import pytest
import torch
from tiny_network import TINY, tiny_network
from torch import nn
from torch.nn import functional as F

from livos.acceleration.accelerate import accelerate, without_batch_norms
from livos.acceleration.folding import fold_batch_norms
from livos.acceleration.winograd import WinogradConv2d, is_plain_3x3
from livos.build import build_model
from livos.model.config import ModelConfig
from livos.model.network import LiVOS
from livos.model.object_transformer import ObjectTransformer

CPU = torch.device("cpu")


def wide(encoder: str) -> ModelConfig:
    """A small network with every kind of block that is replaced, wide enough for it."""
    return replace(TINY, image_encoder=encoder, value_dim=64, decoder_dims=[64, 64, 64], sensory_kernel=3)


def with_statistics(network):
    """As if trained: the statistics of fresh batch norms, 0 and 1, would hide mistakes in folding them."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                *((module.running_mean, -0.2, 0.2), (module.running_var, 0.5, 2)),
                *((module.weight.data, 0.5, 1), (module.bias.data, -0.2, 0.2)),
            ):
                tensor.uniform_(low, high, generator=generator)
    return network


@torch.inference_mode()
def probabilities(network: LiVOS, num_objects: int, size: tuple[int, int] = (48, 80)) -> torch.Tensor:
    """What a network predicts for three random frames, (3, 1 + N, H, W)."""
    generator = torch.Generator().manual_seed(2)
    frames = torch.rand(4, 1, 3, *size, generator=generator)
    masks = torch.zeros(1, num_objects, *size)
    for slot in range(num_objects):
        masks[:, slot, 8 : 24 + 8 * slot, 25 * slot : 25 * slot + 24] = 1
    features = network.encode(frames[0])
    state = network.remember(features, masks, network.begin(features, num_objects))
    results = []
    for frame in frames[1:]:
        features = network.encode(frame)
        prediction, state = network.segment(features, state)
        results.append(prediction.logits.softmax(dim=1))
        state = network.remember(features, results[-1][:, 1:], state)
    return torch.cat(results)


def largest_difference(network: LiVOS, num_objects: int, monkeypatch) -> float:
    """Between the probabilities of a network and of the accelerated one.

    What a query may look at is a yes or no per cell. Where two logits tie, any rounding (a weight times 1 + 1e-7) turns
    it over, with results that differ by 1e-4 and more. So both networks get the decisions of the first; that they
    would decide alike, but for such ties, is asserted beside.
    """
    fast = accelerate(network, CPU, "float32")
    decide, decisions, disagreements = ObjectTransformer._attention_mask, [], []

    def note(self, *args):
        decisions.append(decide(self, *args))
        return decisions[-1]

    def repeat(self, *args):
        noted = decisions.pop(0)
        disagreements.append((decide(self, *args) != noted).float().mean().item())
        return noted

    monkeypatch.setattr(ObjectTransformer, "_attention_mask", note)
    expected = probabilities(network, num_objects)
    monkeypatch.setattr(ObjectTransformer, "_attention_mask", repeat)
    found = probabilities(fast, num_objects)
    monkeypatch.undo()
    assert disagreements and not decisions and sum(disagreements) / len(disagreements) < 0.01
    return (found - expected).abs().max().item()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (4, 4), (5, 7), (30, 54), (61, 3), (3, 600)])
@torch.inference_mode()
def test_winograd_convolution_is_as_exact_as_a_direct_one(size, bias):
    torch.manual_seed(0)
    conv = nn.Conv2d(48, 64, 3, padding=1, bias=bias)
    for x in (torch.randn(2, 48, *size), torch.randn(1, 48, *size).to(memory_format=torch.channels_last)):
        exact = copy.deepcopy(conv).double()
        torch.testing.assert_close(WinogradConv2d(conv)(x), exact(x.double()).float(), rtol=0, atol=1e-5)
        after_relu = WinogradConv2d(conv)(x, relu=True)
        torch.testing.assert_close(after_relu, exact(F.relu(x.double())).float(), rtol=0, atol=1e-5)


@torch.inference_mode()
def test_winograd_convolution_takes_inputs_apart_or_together_and_leaves_them_alone():
    torch.manual_seed(0)
    conv = WinogradConv2d(nn.Conv2d(24, 8, 3, padding=1))
    x = torch.randn(3, 24, 9, 10)
    before = x.clone()
    assert torch.equal(conv(x[:, :16], x[:, 16:], relu=True), conv(x, relu=True))
    assert torch.equal(x, before)


@pytest.mark.parametrize(
    "settings",
    [{"stride": 2}, {"groups": 2}, {"dilation": 2, "padding": 2}, {"padding": 0}, {"padding_mode": "reflect"}],
    ids=str,
)
def test_other_convolutions_are_refused(settings):
    conv = nn.Conv2d(4, 4, 3, **{"padding": 1, **settings})
    assert not is_plain_3x3(conv)
    with pytest.raises(ValueError, match="expected a 3x3 convolution"):
        WinogradConv2d(conv)


@pytest.mark.parametrize("model", ["lite", "convnext_tiny"])
def test_accelerated_networks_agree(model, monkeypatch):
    network = with_statistics(build_model(model, seed=0))
    assert largest_difference(network, 2, monkeypatch) < 1e-5


@pytest.mark.parametrize("num_objects", [1, 3])
@pytest.mark.parametrize("encoder", ["resnet18", "resnet50"])
def test_blocks_that_are_wide_enough_for_winograd_agree(encoder, num_objects, monkeypatch):
    network = with_statistics(build_model(wide(encoder), seed=0))
    assert sum(isinstance(m, WinogradConv2d) for m in accelerate(network, CPU, "float32").modules()) > 15
    assert largest_difference(network, num_objects, monkeypatch) < 1e-5


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_no_batch_norm_is_left(precision):
    fast = accelerate(build_model("lite", seed=0), CPU, precision)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fast.modules())


@pytest.mark.parametrize("encoder", ["resnet18", "resnet50", "lite"])
def test_weights_in_bfloat16_are_as_exact_as_weights_that_are_converted_for_each_frame(encoder, monkeypatch):
    network = with_statistics(build_model(encoder if encoder == "lite" else wide(encoder), seed=0))
    monkeypatch.setattr("livos.acceleration.accelerate.multiplies_bfloat16", lambda: True)
    exact, fast = probabilities(network, 2), accelerate(network, CPU, "bfloat16")
    assert {m.weight.dtype for m in fast.modules() if isinstance(m, nn.Conv2d)} == {torch.bfloat16}
    with torch.autocast("cpu", torch.bfloat16):
        converted, kept = (probabilities(x, 2) for x in (without_batch_norms(network), fast))
    assert kept.dtype == torch.float32 and 0 < (kept - exact).abs().mean() < 2 * (converted - exact).abs().mean()


@torch.inference_mode()
def test_what_is_remembered_stays_float32_with_weights_in_bfloat16(monkeypatch):
    monkeypatch.setattr("livos.acceleration.accelerate.multiplies_bfloat16", lambda: True)
    fast = accelerate(build_model(wide("resnet18"), seed=0), CPU, "bfloat16")
    image, masks = torch.rand(1, 3, 48, 80), torch.ones(1, 2, 48, 80)
    with torch.autocast("cpu", torch.bfloat16):
        features = fast.encode(image)
        state = fast.remember(features, masks, fast.begin(features, 2))
        prediction, state = fast.segment(features, state)
        state = fast.remember(features, prediction.probabilities[:, 1:], state)
    kept = [features.key, features.gate, *vars(state.memory).values(), state.mean_summary, state.sensory]
    assert {x.dtype for x in [*kept, state.last_masks]} == {torch.float32}


def test_a_cpu_without_products_in_bfloat16_converts_no_weights(monkeypatch):
    monkeypatch.setattr("livos.acceleration.accelerate.multiplies_bfloat16", lambda: False)
    fast = accelerate(tiny_network(), CPU, "bfloat16")
    assert {p.dtype for p in fast.parameters()} == {torch.float32}


def test_the_given_network_stays_as_it_was():
    network = with_statistics(tiny_network()).train()
    before = {name: x.clone() for name, x in network.state_dict().items()}
    types = [type(module) for module in network.modules()]
    probabilities(accelerate(network, CPU, "float32"), 2)
    assert network.training and all(p.requires_grad for p in network.parameters())
    assert [type(module) for module in network.modules()] == types
    assert all(torch.equal(x, before[name]) for name, x in network.state_dict().items())
    network(torch.rand(1, 2, 3, 32, 32), torch.ones(1, 1, 32, 32))[0].logits.sum().backward()


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))], ids=["copied", "pickled"]
)
def test_an_accelerated_network_can_be_copied_and_pickled(again):
    fast = accelerate(build_model(wide("resnet18"), seed=0), CPU, "float32")
    other = again(fast)
    assert [type(module) for module in other.modules()] == [type(module) for module in fast.modules()]
    assert torch.equal(probabilities(other, 2), probabilities(fast, 2))


@pytest.mark.skipif(torch.__version__.startswith("2.4."), reason="torch.export of PyTorch 2.4 knows no out= here")
def test_an_accelerated_network_can_be_exported():
    class Encode(nn.Module):
        def __init__(self, network: LiVOS):
            super().__init__()
            self.network = network

        def forward(self, image):
            features = self.network.encode(image)
            masks = torch.ones(1, 2, *image.shape[-2:])
            state = self.network.remember(features, masks, self.network.begin(features, 2))
            return self.network.segment(features, state)[0].logits

    fast = Encode(accelerate(build_model(wide("resnet18"), seed=0), CPU, "float32"))
    image = torch.rand(1, 3, 48, 80)
    with torch.no_grad():
        exported = torch.export.export(fast, (image,)).module()
        torch.testing.assert_close(exported(image), fast(image), rtol=0, atol=1e-5)


def test_unchanged_weights_are_shared():
    network = tiny_network()
    fast = accelerate(network, CPU, "float32")
    path = "object_transformer.blocks.0.ffn.linear1.weight"
    assert fast.get_parameter(path).data_ptr() == network.get_parameter(path).data_ptr()


def test_results_are_the_same_every_time():
    network = build_model(wide("resnet18"), seed=0)
    first, second = (probabilities(accelerate(network, CPU, "float32"), 2) for _ in range(2))
    assert torch.equal(first, second)


def test_a_norm_after_an_activation_is_not_folded():
    class Backbone(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.relu, self.bn = nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(4)

        def forward(self, x):
            return self.bn(self.relu(self.conv(x)))

    backbone = with_statistics(Backbone()).eval()
    fold_batch_norms(backbone, 3)
    assert isinstance(backbone.bn, nn.BatchNorm2d)
