"""What the tests in several files share."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from browser_pages import browser, new_page  # noqa: F401 (fixtures, of one browser for all tests)
from needed_packages import skip_without
from tiny_network import tiny_network

from livos import VideoSegmenter

ENGINES = ("torch", "onnxruntime", "openvino")


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


@pytest.fixture
def disc() -> tuple[np.ndarray, np.ndarray]:
    """A bright disc (60 px across) on dark noise (120, 160, 3), and its mask."""
    rows, columns = np.mgrid[:120, :160]
    mask = (rows - 60) ** 2 + (columns - 70) ** 2 < 30**2
    image = np.random.default_rng(0).integers(0, 60, (120, 160, 3)).astype(np.uint8)
    image[mask] += np.array([180, 120, 20], np.uint8)
    return image, mask
