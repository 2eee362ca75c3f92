"""Scores on disk, and merging the scores of several runs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from script_modules import load_script

from livos.masks.label_maps import LabelCoding, read_labels, write_labels
from livos.pipeline.probabilities import (
    average_probabilities,
    read_object_ids,
    read_probabilities,
    write_probabilities,
)

merge_scores = load_script("scripts/merge_scores.py")


def probabilities_of(labels: np.ndarray, ids: list[int], confidence: float) -> np.ndarray:
    """(1 + N, H, W): `confidence` for the labelled channel, the rest shared by the others."""
    channels = np.stack([labels == object_id for object_id in [0, *ids]])
    return np.where(channels, confidence, (1 - confidence) / len(ids)).astype(np.float32)


def test_scores_survive_within_their_precision(tmp_path):
    probabilities = torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(0)).softmax(dim=0)
    write_probabilities(tmp_path / "0.npz", probabilities, [300, 7])
    back = read_probabilities(tmp_path / "0.npz")
    assert back.object_ids == (300, 7)
    np.testing.assert_allclose(back.probabilities, probabilities.numpy(), atol=1 / 510 + 1e-6)
    np.testing.assert_array_equal(back.labels(), np.array([0, 300, 7])[back.probabilities.argmax(0)])
    assert [path.name for path in tmp_path.iterdir()] == ["0.npz"]


def test_scores_hold_no_pickle(tmp_path):
    np.savez(tmp_path / "evil.npz", probabilities=np.array([{}], dtype=object), object_ids=np.array([1]))
    with pytest.raises(ValueError, match=r"evil.npz: not a file of scores"):
        read_probabilities(tmp_path / "evil.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"hello"])
def test_damaged_scores_are_named(tmp_path, content):
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"bad.npz: not a file of scores"):
        read_probabilities(tmp_path / "bad.npz")


def test_ids_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\(1 \+ N, H, W\) for 3 ids, got \(3, 4, 4\)"):
        write_probabilities(tmp_path / "0.npz", np.zeros((3, 4, 4), np.float32), [1, 2, 3])


def test_the_average_is_of_objects_whatever_their_channel(tmp_path):
    labels = np.array([[0, 1, 2]])
    write_probabilities(tmp_path / "a.npz", probabilities_of(labels, [1, 2], 0.6), [1, 2])
    write_probabilities(tmp_path / "b.npz", probabilities_of(labels, [2, 1], 0.8), [2, 1])
    mean = average_probabilities([read_probabilities(tmp_path / name) for name in ("a.npz", "b.npz")])
    np.testing.assert_allclose(mean.probabilities, probabilities_of(labels, [1, 2], 0.7), atol=0.01)


@pytest.fixture
def runs(tmp_path) -> list[Path]:
    """Two runs on two frames of a video: they disagree at one pixel, where the second is more confident."""
    for run, confidence in (("480", 0.6), ("720", 0.9)):
        (tmp_path / run / "clip").mkdir(parents=True)
        for frame in ("00000", "00001"):
            labels = np.array([[0, 300], [7, 0 if run == "480" else 7]])
            probabilities = probabilities_of(labels, [7, 300], confidence)
            write_probabilities(tmp_path / run / "clip" / f"{frame}.npz", probabilities, [7, 300])
    return [tmp_path / "480", tmp_path / "720"]


def test_merging_writes_the_surer_answer(runs, tmp_path):
    arguments = ["--scores", *map(str, runs), "--output", str(tmp_path / "merged")]
    for _ in range(2):
        assert merge_scores.main(arguments) == 0
    masks = sorted(path.relative_to(tmp_path / "merged").as_posix() for path in (tmp_path / "merged").rglob("*.png"))
    assert masks == ["clip/00000.png", "clip/00001.png"]
    mask = read_labels(tmp_path / "merged" / masks[0])
    np.testing.assert_array_equal(mask.labels, [[0, 300], [7, 7]])
    assert mask.coding.kind == "rgb_ids"  # 300 does not fit a palette


def test_merged_masks_are_coded_like_the_given_ones(runs, tmp_path):
    (tmp_path / "given" / "clip").mkdir(parents=True)
    write_labels(tmp_path / "given" / "clip" / "00000.png", np.array([[0, 300], [7, 7]]), LabelCoding("grey16"))
    arguments = ["--scores", *map(str, runs), "--output", str(tmp_path / "merged"), "--masks", str(tmp_path / "given")]
    assert merge_scores.main(arguments) == 0
    assert read_labels(tmp_path / "merged" / "clip" / "00001.png").coding.kind == "grey16"


def test_a_missing_frame_is_an_error_before_anything_is_written(runs, tmp_path, capsys):
    (runs[1] / "clip" / "00001.npz").unlink()
    assert merge_scores.main(["--scores", *map(str, runs), "--output", str(tmp_path / "merged")]) == 1
    assert "1 are only in one, the first is clip/00001.npz" in capsys.readouterr().err
    assert not (tmp_path / "merged").exists()


def test_sizes_that_differ_are_named(runs, tmp_path, capsys):
    write_probabilities(runs[0] / "clip" / "00000.npz", np.zeros((3, 4, 4), np.float32), [7, 300])
    assert merge_scores.main(["--scores", *map(str, runs), "--output", str(tmp_path / "merged")]) == 1
    assert "clip/00000.npz: scores of one frame have different sizes" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arrays",
    [
        {"probabilities": np.zeros((2, 3, 4), np.uint8)},
        {"probabilities": np.zeros((2, 3, 4), np.uint8), "object_ids": np.array([1, 2])},
        {"probabilities": np.zeros((2, 3, 4), np.float32), "object_ids": np.array([1])},
        {"probabilities": np.zeros((3, 3, 4), np.uint8), "object_ids": np.array([1, 1])},
        {"probabilities": np.zeros((2, 3, 4), np.uint8), "object_ids": np.array([-1])},
        {"probabilities": np.zeros((2, 3, 4), np.uint8), "object_ids": np.array(["1"])},
    ],
)
def test_files_that_are_not_scores_are_refused_by_name(tmp_path, arrays):
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=r"a\.npz: not a file of scores"):
        read_probabilities(tmp_path / "a.npz")


def test_scores_that_claim_too_much_are_refused_before_they_are_unpacked(tmp_path):
    write_probabilities(tmp_path / "a.npz", np.zeros((2, 30, 40), np.float32), [7])
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    huge = parts["probabilities.npy"].replace(b"(2, 30, 40), ", b"(2,30000,40000)")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("probabilities.npy", huge)
        archive.writestr("object_ids.npy", parts["object_ids.npy"])
    with pytest.raises(ValueError, match=r"b\.npz: not a file of scores .*bytes, expected"):
        read_probabilities(tmp_path / "b.npz")
    assert read_object_ids(tmp_path / "b.npz") == (7,)
