"""Which engine runs the network; test_segmenter.py checks that all compute the same."""

import pytest
import torch
from needed_packages import skip_without
from test_segmenter import frames, mask
from tiny_network import tiny_network

from livos import SegmenterState, VideoSegmenter, build_model
from livos.engines import choice
from livos.engines.choice import choose_engine, kept_graphs
from livos.pipeline import memory_plan
from livos.segmenter.memory_shortage import saving_advice

CPU = torch.device("cpu")


def test_states_go_from_one_engine_to_another(make, tmp_path):
    images = frames(5)
    first = VideoSegmenter(tiny_network(), device="cpu")
    first.step(images[0], mask((1, 0)))
    first.step(images[1], mask((4, 20)))
    first.state().save(tmp_path / "state.pt")
    second = make()
    second.restore(SegmenterState.load(tmp_path / "state.pt"))
    for image in images[2:4]:
        expected, found = first.step(image).probabilities, second.step(image).probabilities
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)
    first.restore(second.state())
    torch.testing.assert_close(
        first.step(images[4]).probabilities, second.step(images[4]).probabilities, rtol=0, atol=1e-3
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "tensorrt"}, "expected one of torch, onnxruntime, openvino, auto"),
        ({"engine": "openvino", "device": torch.device("cuda")}, "runs on the CPU, not on cuda"),
        ({"engine": "onnxruntime", "precision": "bfloat16"}, "not precision=bfloat16"),
        ({"engine": "onnxruntime", "chunk_size": 2}, "not chunk_size=2"),
        ({"engine": "openvino", "compiled": True}, "compile=True needs engine=torch"),
    ],
)
def test_what_an_engine_cannot_do_is_refused(settings, message):
    usual = {"network": tiny_network(), "device": CPU, "precision": "float32", "chunk_size": None, "compiled": False}
    with pytest.raises(ValueError, match=message):
        choose_engine(**{**usual, **settings})


def test_a_memory_limit_chooses_only_what_the_engine_can_do(make, monkeypatch):
    """200 MiB are in use for all objects at once, a hundred for one at a time, and fewer at a smaller size."""
    whole = make(size=128)
    shares = {None: 200, 1: 100}
    monkeypatch.setattr(
        memory_plan, "measure_peak", lambda s, *_: shares[s.chunk_size] * 2**20 * s.size**2 // whole.size**2
    )
    limit = 150 * 2**20 + memory_plan.bytes_in_flight(CPU, (128, 128))
    fitted = memory_plan.within_memory(whole, limit, (128, 128), num_objects=3)
    assert (fitted.size, fitted.chunk_size) == ((128, 1) if whole.engine == "torch" else (96, None))
    assert fitted.engine == whole.engine


def test_limits_and_advice_are_those_that_the_engine_takes(make):
    segmenter = make(size=64)
    advice = saving_advice(segmenter)
    if segmenter.engine == "torch":
        assert "chunk_size=1 (" in advice and "engine=torch" not in advice and "bfloat16 or float16" in advice
        assert segmenter.with_limits(32, 1).chunk_size == 1
        return
    assert "engine=torch with chunk_size=1" in advice and "float16 " not in advice
    assert ("precision=bfloat16" in advice) == (segmenter.engine == "openvino")
    with pytest.raises(ValueError, match="processes all objects at once, not chunk_size=1"):
        segmenter.with_limits(32, 1)


def test_an_engine_that_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(choice, "_installed", lambda engine: False)
    with pytest.raises(ImportError, match=r"pip install 'livos\[onnx,openvino\]'"):
        VideoSegmenter(tiny_network(), device="cpu", engine="openvino")
    assert VideoSegmenter(tiny_network(), device="cpu", engine="auto").engine == "torch"


@pytest.mark.parametrize(
    ("installed", "model", "precision", "device", "chosen"),
    [
        ({"onnxruntime", "openvino"}, "lite", "float32", "cpu", "onnxruntime"),
        ({"openvino"}, "lite", "float32", "cpu", "openvino"),
        ({"onnxruntime", "openvino"}, "lite", "bfloat16", "cpu", "openvino"),
        ({"onnxruntime"}, "lite", "bfloat16", "cpu", "torch"),
        ({"onnxruntime", "openvino"}, "base", "float32", "cpu", "torch"),
        ({"onnxruntime", "openvino"}, "base", "bfloat16", "cpu", "openvino"),
        ({"onnxruntime", "openvino"}, "lite", "float16", "cuda", "torch"),
    ],
)
def test_auto_takes_what_the_table_says(installed, model, precision, device, chosen, monkeypatch):
    monkeypatch.setattr(choice, "_installed", lambda engine: engine in installed)
    network = build_model(model, seed=0)
    assert choose_engine("auto", network, torch.device(device), precision, None, False) == chosen


def test_graphs_are_exported_once_for_each_network(tmp_path, monkeypatch):
    skip_without("onnx", "onnxscript")
    written = []
    monkeypatch.setattr(choice, "graphs_dir", lambda: tmp_path)
    monkeypatch.setattr(choice, "write_graphs", lambda network, folder: written.append(folder))
    first = kept_graphs(tiny_network(), "a")
    assert kept_graphs(tiny_network(), "a") == first and len(written) == 1
    assert kept_graphs(tiny_network(), "b") != first
    assert sorted(tmp_path.iterdir()) == sorted({first, kept_graphs(tiny_network(), "b")})


def test_an_interrupted_export_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(network, folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(choice, "graphs_dir", lambda: tmp_path)
    monkeypatch.setattr(choice, "write_graphs", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kept_graphs(tiny_network(), "a")
    assert list(tmp_path.iterdir()) == []
