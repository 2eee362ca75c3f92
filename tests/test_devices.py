"""The device is the best available one, or the requested one, or an error that lists the available ones."""

import numpy as np
import pytest
import torch
from tiny_network import tiny_network

from livos import VideoSegmenter
from livos.devices import choose_device, float32_products


def pretend(monkeypatch, num_gpus: int = 0, mps: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: num_gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: num_gpus)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("num_gpus", "mps", "chosen"), [(0, False, "cpu"), (0, True, "mps"), (2, False, "cuda"), (1, True, "cuda")]
)
def test_auto_takes_the_best_there_is(monkeypatch, num_gpus, mps, chosen):
    pretend(monkeypatch, num_gpus, mps)
    assert choose_device() == choose_device("auto") == torch.device(chosen)


def test_a_device_is_taken_as_it_is_named(monkeypatch):
    pretend(monkeypatch, num_gpus=2, mps=True)
    for name in ("cpu", "mps", "cuda", "cuda:1"):
        assert choose_device(name) == choose_device(torch.device(name)) == torch.device(name)


def test_each_of_several_processes_gets_its_own_gpu(monkeypatch):
    pretend(monkeypatch, num_gpus=2)
    assert choose_device("auto", 1) == choose_device("cuda", 1) == torch.device("cuda", 1)
    assert choose_device("cuda:0", 1) == torch.device("cuda", 0)
    assert choose_device("cpu", 1) == torch.device("cpu")
    with pytest.raises(ValueError, match="process 2 on this machine needs its own GPU, but there are 2"):
        choose_device("cuda", 2)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "xpu", "gpu", ""])
def test_a_device_that_is_not_there_is_refused_by_name(monkeypatch, name):
    pretend(monkeypatch)
    with pytest.raises(ValueError, match=f"device={name} is not on this machine: expected auto, cpu"):
        choose_device(name)


@pytest.mark.parametrize("tf32", [False, True])
def test_float32_products_are_as_asked_inside_and_as_before_outside(tf32):
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    with float32_products(tf32):
        assert (matmul.allow_tf32, cudnn.allow_tf32) == (tf32, tf32)
    assert (matmul.allow_tf32, cudnn.allow_tf32) == before


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="PyTorch before 2.9 has one switch only")
def test_a_choice_for_convolutions_alone_comes_back(monkeypatch):
    conv = torch.backends.cudnn.conv
    before = conv.fp32_precision
    try:
        conv.fp32_precision = "ieee"
        with float32_products(tf32=True):
            assert conv.fp32_precision == "tf32"
        assert conv.fp32_precision == "ieee"
    finally:
        conv.fp32_precision = before


@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_the_network_multiplies_as_the_precision_says(precision, monkeypatch):
    segmenter = VideoSegmenter(tiny_network(), device="cpu", precision=precision)
    seen = []
    encode = segmenter.network.encode
    monkeypatch.setattr(
        segmenter.network, "encode", lambda *a: seen.append(torch.backends.cudnn.allow_tf32) or encode(*a)
    )
    segmenter.step(np.zeros((32, 32, 3), np.uint8))
    assert seen == [precision == "tf32"]
