"""Makes the scoring tool importable where it is not installed, and folders of masks for it to score."""

import sys
from pathlib import Path

import numpy as np
import pytest
from mask_folders import MaskFolders, square

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "vos-benchmark"))


@pytest.fixture
def folders(tmp_path: Path) -> MaskFolders:
    """Two videos of six frames, `one` and `two`, perfectly predicted."""
    folders = MaskFolders(tmp_path)
    folders.add("one", [square(10 + i, 20) for i in range(6)])
    folders.add("two", [np.maximum(square(5, 5 + i), square(30, 40 - i, id=2)) for i in range(6)])
    return folders


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Masks with recorded scores: truth/, prediction/, expected.json."""
    return Path(__file__).parent / "data"
