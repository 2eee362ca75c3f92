"""Networks by the name of their weights."""

import pytest
import torch
from tiny_network import tiny_network

import livos
from livos import loading
from livos.released_weights import RELEASED_WEIGHTS


@pytest.fixture
def base_is_tiny(monkeypatch, tmp_path):
    """An empty working directory and cache, in which `base` is a small network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    build = loading.build_model
    monkeypatch.setattr(loading, "build_model", lambda name: tiny_network() if name == "base" else build(name))
    return tmp_path


def test_lite_comes_with_the_package():
    network = livos.load_model("lite")
    assert not network.training and network.config.image_encoder == "timm/tf_efficientnet_lite0"


def test_a_segmenter_takes_the_same_names():
    assert livos.VideoSegmenter("lite", device="cpu").network.config == livos.load_model("lite").config


@pytest.mark.parametrize("place", ["weights", "cache/hub/checkpoints"])
def test_released_weights_are_looked_for_here_and_in_the_cache(place, base_is_tiny):
    folder = base_is_tiny / place
    folder.mkdir(parents=True)
    livos.save_weights(tiny_network(seed=5), folder / "livos-wmose-480p.pth")
    torch.testing.assert_close(livos.load_model("wmose-480p").state_dict(), tiny_network(seed=5).state_dict())


@pytest.mark.parametrize("name", [released.name for released in RELEASED_WEIGHTS])
def test_released_weights_that_are_nowhere_say_how_to_get_them(name, base_is_tiny):
    with pytest.raises(FileNotFoundError, match=f"livos download {name}"):
        livos.load_model(name)


def test_an_unknown_name_is_refused_with_the_known_ones(base_is_tiny):
    with pytest.raises(FileNotFoundError, match=r"lite, nomose-480p, .*nomose-2048p"):
        livos.load_model("nomose-481p")


def test_a_file_of_any_name_finds_its_network(tmp_path):
    path = tmp_path / "mine.pth"
    livos.save_weights(livos.build_model("small", seed=1), path)
    assert livos.load_model(path).config == livos.build_model("small").config


def test_a_file_that_fits_no_named_network_says_so(tmp_path):
    livos.save_weights(tiny_network(), tmp_path / "tiny.pth")
    with pytest.raises(ValueError, match=r"tiny.pth fits none of the networks base, .*lite"):
        livos.load_model(tmp_path / "tiny.pth")
    with pytest.raises(ValueError, match="does not fit this network"):
        livos.load_model(tmp_path / "tiny.pth", model="lite")
