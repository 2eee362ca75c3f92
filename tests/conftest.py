"""What tests of several files share."""

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_network import tiny_network

from livos import VideoSegmenter

ENGINES = ("torch", "onnxruntime", "openvino")


def skip_without(*packages: str) -> None:
    """Skips the test, with the reason, where one of the packages is not installed."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: pip install 'livos[onnx,openvino]'")


@pytest.fixture(scope="session")
def tiny_export(tmp_path_factory) -> Path:
    """The tiny network, exported for every size and number of objects."""
    skip_without("onnx", "onnxscript", "onnxruntime")
    from livos.export.folder import export

    return export(tiny_network(), tmp_path_factory.mktemp("export") / "tiny").folder


@pytest.fixture(params=ENGINES)
def make(request, monkeypatch) -> Callable[..., VideoSegmenter]:
    """Makes segmenters of the tiny network, computed by each of the engines in turn."""
    if request.param != "torch":
        skip_without(request.param)
        folder = request.getfixturevalue("tiny_export")
        monkeypatch.setattr("livos.engines.choice.kept_graphs", lambda network, checksum: folder)
    return functools.partial(VideoSegmenter, tiny_network(), device="cpu", engine=request.param)
