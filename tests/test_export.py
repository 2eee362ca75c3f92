"""Exported graphs compute what the network computes, and an independent program can run them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from needed_packages import skip_without
from PIL import Image
from test_segmenter import frames, mask
from tiny_network import tiny_network

from livos import VideoSegmenter, load_model
from livos.commands import export as command
from livos.export import folder as export_folder
from livos.export.check import largest_difference
from livos.export.folder import TOLERANCE, export

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def lite_export(tmp_path_factory) -> Path:
    skip_without("onnx", "onnxscript", "onnxruntime")
    return export("lite", tmp_path_factory.mktemp("export") / "lite").folder


@pytest.fixture(scope="module")
def fixed_export(tmp_path_factory) -> Path:
    """The tiny network for frames of the tests' size, and up to three objects."""
    skip_without("onnx", "onnxscript", "onnxruntime")
    return export(tiny_network(), tmp_path_factory.mktemp("export") / "fixed", (34, 50), 3).folder


@pytest.mark.parametrize("num_objects", [1, 3])
@pytest.mark.parametrize("size", [(64, 96), (112, 80)])
def test_graphs_agree_at_any_size_with_any_number_of_objects(tiny_export, size, num_objects):
    assert largest_difference(tiny_network(), tiny_export, size, num_objects, 5) < TOLERANCE


@pytest.mark.parametrize(("size", "num_objects"), [((64, 96), 3), ((112, 80), 1)])
def test_graphs_of_the_bundled_weights_agree(lite_export, size, num_objects):
    assert json.loads((lite_export / "description.json").read_text())["compared"]["frames"] == 20
    num_frames = 40  # so that the cap of the memory is passed
    assert largest_difference(load_model("lite"), lite_export, size, num_objects, num_frames) < TOLERANCE


def test_graphs_of_other_weights_do_not_agree(tiny_export):
    assert largest_difference(tiny_network(seed=1), tiny_export, (64, 96), 1, 3) > TOLERANCE


def test_graphs_that_do_not_agree_are_refused_and_leave_nothing(tmp_path, monkeypatch):
    skip_without("onnx", "onnxscript", "onnxruntime")
    monkeypatch.setattr(export_folder, "write_graphs", lambda *arguments: [])
    monkeypatch.setattr(export_folder, "largest_difference", lambda *arguments: 0.01)
    with pytest.raises(ValueError, match=r"differ from PyTorch by up to 1\.0e-02"):
        export(tiny_network(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_other_folders_and_half_fixed_shapes_are_refused(tmp_path):
    skip_without("onnx", "onnxscript", "onnxruntime")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="something other than an export"):
        export(tiny_network(), tmp_path)
    with pytest.raises(ValueError, match="fixed shapes need both"):
        export(tiny_network(), tmp_path / "new", size=(32, 32))
    with pytest.raises(ValueError, match="at least 32 x 32"):
        export(tiny_network(), tmp_path / "new", size=(16, 64), num_objects=1)


@pytest.mark.parametrize("arguments", [["--dynamic", "--size", "32x32"], ["--objects", "2"], ["--size", "32"]])
def test_command_refuses_options_that_do_not_go_together(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main([*arguments, "--output", "out"])
    assert ended.value.code == 2 and capsys.readouterr().err


def test_command_says_which_weights_are_missing(tmp_path, capsys):
    assert command.main(["--weights", "none.pth", "--output", str(tmp_path / "out")]) == 2
    assert "no weights at none.pth" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["tiny_export", "fixed_export"])
def test_the_example_follows_new_and_corrected_objects_by_itself(kind, request, tmp_path):
    exported = request.getfixturevalue(kind)
    given = {0: mask((1, 0)), 2: mask((5, 30), (7, 12)), 4: mask((1, 38))}
    segmenter = VideoSegmenter(tiny_network(), device="cpu")
    for name in ("frames", "masks"):
        (tmp_path / name).mkdir()
    expected = []
    for t, image in enumerate(frames()):
        expected.append(segmenter.step(image, given.get(t)).labels)
        Image.fromarray(image).save(tmp_path / "frames" / f"{t:05d}.png")
        if t in given:
            Image.fromarray(given[t].astype(np.uint8)).save(tmp_path / "masks" / f"{t:05d}.png")
    words = [sys.executable, exported / "segment_frames.py", *(tmp_path / n for n in ("frames", "masks", "out"))]
    subprocess.run(words, check=True, timeout=120)
    for t, labels in enumerate(expected):
        written = np.asarray(Image.open(tmp_path / "out" / f"{t:05d}.png"))
        assert (written == labels).mean() > 0.999, t
