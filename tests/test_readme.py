"""README.md: its Python runs, and its published results are complete."""

import re
from pathlib import Path

import numpy as np
import pytest
from test_released_weights import published_cells
from tiny_network import tiny_network
from video_makers import make_video, picture

import livos
from livos import read_labels, write_labels
from livos.released_weights import RELEASED_WEIGHTS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SIZE = (48, 64)


def python_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def labels_with(object_id: int, column: int) -> np.ndarray:
    labels = np.zeros(SIZE, np.int32)
    labels[16:40, column : column + 16] = object_id
    return labels


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with a video, the mask of its first frame and weights; networks of any name are tiny ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("livos.loading.build_model", lambda name: tiny_network())
    make_video(Path("video.mp4"), num_frames=3)
    write_labels("mask.png", labels_with(1, 8) + labels_with(2, 40))
    Path("weights").mkdir()
    livos.save_weights(tiny_network(), "weights/livos-nomose-480p.pth")
    return tmp_path


def test_python_of_the_readme_runs(workplace):
    own_video, midway = python_blocks()
    exec(own_video, {})
    written = sorted(path.name for path in workplace.glob("mask_*.png"))
    assert written == ["mask_00000.png", "mask_00001.png", "mask_00002.png"]
    np.testing.assert_array_equal(read_labels("mask_00000.png").labels, read_labels("mask.png").labels)

    variables = {
        "frames": [picture(number, SIZE) for number in range(3)],
        "first_mask": read_labels("mask.png").labels,
        "cup_mask": labels_with(3, 24),
        "better_mask": labels_with(1, 12),
    }
    exec(midway, variables)
    assert variables["result"].object_ids == [1, 2, 3]


def test_every_published_result_is_in_the_readme():
    wanted = {(weights.name, dataset) for weights in RELEASED_WEIGHTS for dataset in weights.results}
    assert {(name, dataset) for name, dataset, _ in published_cells(README)} == wanted
