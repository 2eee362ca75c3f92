"""Skipping tests that need packages that not everybody has installed."""

import importlib.util

import pytest


def skip_without(*packages: str) -> None:
    """Skips the test, with the reason, where one of the packages is not installed."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: pip install 'livos[onnx,openvino]'")
