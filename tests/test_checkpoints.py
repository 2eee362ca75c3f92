"""Weights that fit are loaded from any container; others are refused with what does not fit."""

import pytest
import torch
from safetensors.torch import save_file
from tiny_network import tiny_network

from livos import load_weights, save_weights
from livos.checkpoints import best_short_side
from livos.files.checksums import sha256


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_saved_weights_load(tmp_path, name):
    saved = tiny_network(seed=1)
    save_weights(saved, tmp_path / name)
    assert same(load_weights(tiny_network(seed=2), tmp_path / name), saved)


def test_half_precision_weights_load_as_float32(tmp_path):
    saved = tiny_network(seed=1)
    save_weights(saved, tmp_path / "half.safetensors", half=True)
    loaded = load_weights(tiny_network(seed=2), str(tmp_path / "half.safetensors"))
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    for ours, expected in zip(loaded.parameters(), saved.parameters(), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-4)


def test_dicts_prefixes_and_training_checkpoints_load():
    saved = tiny_network(seed=1)
    state = saved.state_dict()
    wrapped = {f"module.{name}": x for name, x in state.items()}
    for source in (
        state,
        wrapped,
        {"network": state, "optimizer": {}},
        {"network": {}, "average": {**wrapped, "n_averaged": torch.tensor(3)}},
    ):
        assert same(load_weights(tiny_network(seed=2), source), saved)


def test_position_frequencies_may_be_missing():
    state = {name: x for name, x in tiny_network().state_dict().items() if not name.endswith("inv_freq")}
    load_weights(tiny_network(seed=2), state)


def test_misfits_are_listed():
    state = dict(tiny_network().state_dict())
    del state["key_projector.layer1.bias"]
    state["stranger.weight"] = torch.zeros(1)
    state["mask_decoder.pred.bias"] = torch.zeros(7)
    with pytest.raises(ValueError) as error:
        load_weights(tiny_network(), state)
    for part in (
        "1 not in the file: key_projector.layer1.bias",
        "1 not in the network: stranger.weight",
        "mask_decoder.pred.bias (7,) instead of (1,)",
    ):
        assert part in str(error.value)


def test_missing_file_says_how_to_get_weights(tmp_path):
    with pytest.raises(FileNotFoundError, match="`livos download` fetches the released weights"):
        load_weights(tiny_network(), tmp_path / "none.pth")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"state_dict": {f"model.{name}": x for name, x in state.items()}, "epoch": 3},  # Lightning
        lambda state: {f"_orig_mod.{name}": x for name, x in state.items()},
        lambda state: {name.replace("layer1.", "layer1._orig_mod.", 1): x for name, x in state.items()},
        lambda state: {"module._orig_mod." + name: x for name, x in state.items()},
        lambda state: {"model_state_dict": state, "optimizer_state_dict": {}},
        lambda state: {"net": state},
        lambda state: {"model": {"weight": torch.zeros(1)}, "ema": {f"module.{name}": x for name, x in state.items()}},
        lambda state: {"ema": {"decay": 0.9, "updates": 7}, "model": state},
    ],
)
def test_checkpoints_of_other_programs_load(tmp_path, wrap):
    saved = tiny_network(seed=1)
    torch.save(wrap(saved.state_dict()), tmp_path / "weights.pth")
    assert same(load_weights(tiny_network(seed=2), tmp_path / "weights.pth"), saved)


def test_an_entry_with_and_without_prefix_is_refused():
    state = tiny_network().state_dict()
    with pytest.raises(ValueError, match=r"contains key_projector\.layer1\.bias twice"):
        load_weights(tiny_network(), {**state, "module.key_projector.layer1.bias": torch.zeros(8)})


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused_by_name(tmp_path, name, number):
    network = tiny_network()
    network.mask_decoder.pred.bias.data[0] = number
    save_weights(network, tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name} contains NaN or infinity in mask_decoder\.pred\.bias: "):
        load_weights(tiny_network(), tmp_path / name)


def test_numbers_too_large_for_the_network_are_refused():
    state = {name: x.double() if x.is_floating_point() else x for name, x in tiny_network().state_dict().items()}
    load_weights(tiny_network(), state)
    state["mask_decoder.pred.bias"][0] = 1e300
    with pytest.raises(ValueError, match="NaN or infinity in mask_decoder"):
        load_weights(tiny_network(), state)


def test_integers_for_numbers_are_refused():
    state = {name: x.to(torch.int32) for name, x in tiny_network().state_dict().items()}
    with pytest.raises(ValueError, match=r"of another kind: \S+ int32 instead of float32"):
        load_weights(tiny_network(), state)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "contains a list, not a network's weights"),
        (torch.zeros(3, 4), r"contains a Tensor of shape \(3, 4\), not a network's weights"),
        ({1: torch.zeros(1)}, "contains a dict, not a network's weights by name"),
        (
            {"epoch": 3, "arguments": {"lr": 0.1}},
            r"does not contain a network's state dict, but epoch \(a int\), arguments \(a dict\)",
        ),
        ({}, "does not contain a network's state dict, but nothing"),
    ],
)
def test_what_holds_no_weights_is_refused_with_what_it_holds(tmp_path, content, message):
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(ValueError, match=rf"{tmp_path}/weights\.pth {message}"):
        load_weights(tiny_network(), tmp_path / "weights.pth")


def test_weights_with_another_checksum_than_was_recorded_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(tiny_network(), path)
    (tmp_path / "checksums.txt").write_text(f"{sha256(path)}  {path.name}\n{'0' * 64}  other.pth\n")
    load_weights(tiny_network(), path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        ValueError, match=r"weights\.safetensors has SHA-256 .*checksums\.txt recorded .*download it again"
    ):
        load_weights(tiny_network(), path)
    (tmp_path / "checksums.txt").write_text("no list")
    with pytest.raises(ValueError, match=r"checksums\.txt, line 1: expected a SHA-256"):
        load_weights(tiny_network(), path)


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "save", lambda state, file: (file.write(b"half"), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        save_weights(tiny_network(), tmp_path / "weights.pth")
    assert list(tmp_path.iterdir()) == []


def test_weights_say_at_which_short_side_they_work_best(tmp_path):
    save_weights(tiny_network(), tmp_path / "a.safetensors", short_side=320)
    assert best_short_side(tmp_path / "a.safetensors") == 320


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_weights_that_say_nothing_work_at_480(tmp_path, name):
    save_weights(tiny_network(), tmp_path / name)
    assert best_short_side(tmp_path / name) == 480


def test_a_short_side_that_could_not_be_kept_is_refused(tmp_path):
    for name, short_side in [("a.pth", 320), ("a.safetensors", 0)]:
        with pytest.raises(ValueError, match=f"short_side={short_side}"):
            save_weights(tiny_network(), tmp_path / name, short_side=short_side)
        assert not (tmp_path / name).exists()


def test_a_senseless_short_side_and_a_missing_file_are_reported(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors", {"short_side": "-3"})
    with pytest.raises(ValueError, match="short_side='-3'"):
        best_short_side(tmp_path / "a.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"no header")
    with pytest.raises(ValueError, match="truncated"):
        best_short_side(tmp_path / "cut.safetensors")
    with pytest.raises(FileNotFoundError, match="no weights at"):
        best_short_side(tmp_path / "b.safetensors")
