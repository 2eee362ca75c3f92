"""Fitting the confidence of masks, on invented numbers and on videos of a few frames."""

import numpy as np
import pytest
import torch
from script_modules import load_script
from tiny_network import tiny_network
from tiny_sets import numbered, write_video

from livos.checkpoints import weights_metadata
from livos.segmenter.confidence import FEATURES, ConfidenceModel

fit_confidence = load_script("scripts/fit_confidence.py")


def test_a_fit_gives_back_the_coefficients_that_made_the_overlaps():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(4000, len(FEATURES), generator=generator)
    true = ConfidenceModel((1.0, -0.5, *[0.0] * (len(FEATURES) - 2), 0.3))
    fitted = fit_confidence.fit(fit_confidence.Observations(features, true(features)))
    np.testing.assert_allclose(fitted.coefficients, true.coefficients, atol=0.03)


@pytest.mark.parametrize(
    ("scores", "expected"), [([0.1, 0.2, 0.8, 0.9], 1.0), ([0.9, 0.8, 0.2, 0.1], 0.0), ([0.5, 0.5, 0.5, 0.5], 0.5)]
)
def test_the_area_under_the_roc_is_the_chance_to_tell_failures_apart(scores, expected):
    assert fit_confidence.area_under_roc(torch.tensor(scores), torch.tensor([True, True, False, False])) == expected


def test_overlap_of_empty_masks_is_one():
    empty, full = np.zeros((4, 4), bool), np.ones((4, 4), bool)
    assert [fit_confidence.overlap(*pair) for pair in ((empty, empty), (empty, full), (full, full))] == [1, 0, 1]


def write_folder(folder, names):
    for name in names:
        write_video(
            folder / "JPEGImages", folder / "Annotations", name, numbered(4), {frame: [1, 2] for frame in numbered(4)}
        )
    return str(folder)


def test_coefficients_go_into_a_copy_of_the_weights(tmp_path, capsys, monkeypatch):
    network = tiny_network()
    network.notes = {"short_side": "32"}
    fit_confidence.save_weights(network, tmp_path / "a.safetensors")
    monkeypatch.setattr(fit_confidence, "load_model", lambda *_: network)
    folders = write_folder(tmp_path / "fit", ["a", "b"]), write_folder(tmp_path / "check", ["c"])
    files = ["--weights", str(tmp_path / "a.safetensors"), "--output", str(tmp_path / "b.safetensors")]
    fit_confidence.main([*files, "--fit", folders[0], "--check", folders[1]])
    notes = weights_metadata(tmp_path / "b.safetensors")
    assert notes["short_side"] == "32"
    assert len(ConfidenceModel.from_text(notes["confidence"]).coefficients) == len(FEATURES) + 1
    assert "6 objects on frames" in capsys.readouterr().out


def test_a_frame_without_a_mask_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(fit_confidence, "load_model", lambda *_: tiny_network())
    folder = write_folder(tmp_path / "fit", ["a"])
    (tmp_path / "fit/Annotations/a/00002.png").unlink()
    with pytest.raises(SystemExit, match="no mask of frame 00002"):
        fit_confidence.main(["--fit", folder, "--check", folder])
