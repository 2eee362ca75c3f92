"""The stress set is the same each time, and its true masks show what is visible."""

import cv2
import numpy as np
import pytest
from script_modules import load_script
from tiny_network import tiny_network

from livos import save_weights

stress = load_script("benchmarks/stress.py")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Three videos of eight frames: a bright square on noise of one grey level each."""
    root = tmp_path_factory.mktemp("videos")
    generator = np.random.default_rng(0)
    for k, name in enumerate(["a", "b", "c"]):
        for folder in ("images", "masks"):
            (root / folder / name).mkdir(parents=True)
        for t in range(8):
            mask = np.zeros((60, 100), np.uint8)
            mask[20:40, 30 + t : 50 + t] = 255
            image = np.where(mask[..., None] > 0, 250, generator.integers(0, 20, (60, 100, 3)) + 50 * k)
            cv2.imwrite(str(root / f"images/{name}/{t:05d}.png"), image.astype(np.uint8))
            cv2.imwrite(str(root / f"masks/{name}/{t:05d}.png"), mask)
    return root


@pytest.fixture(scope="module")
def materials(root):
    return [stress.read_material(name, root / "images", root / "masks", 8) for name in ("a", "b", "c")]


@pytest.mark.parametrize("kind", stress.KINDS)
def test_a_video_is_a_function_of_the_seed_and_its_number(materials, kind):
    video, again, another = (stress.make_video(kind, number, 3, materials) for number in (0, 0, 1))
    assert video.name == again.name
    np.testing.assert_array_equal(video.images, again.images)
    np.testing.assert_array_equal(video.truth, again.truth)
    assert not np.array_equal(video.truth, another.truth)


@pytest.mark.parametrize("kind", stress.KINDS)
def test_the_object_is_bright_where_the_truth_says_and_has_its_size(materials, kind):
    video = stress.make_video(kind, 0, 0, materials)
    assert np.median(video.images[0][video.truth[0] > 0]) > 200
    side = 0.05 if kind == "tiny" else 0.25
    assert np.sqrt(video.truth[0].sum()) == pytest.approx(side * 480, rel=0.1)


def test_the_hidden_object_is_out_of_sight_half_way_and_comes_back(materials):
    truth = stress.make_video("hidden", 0, 0, materials).truth
    assert not truth[4].any()
    assert truth[0].sum() > 0.9 * truth[-1].sum() > 0


def test_the_fast_object_moves_by_more_than_a_tenth_of_the_short_side(materials):
    path = stress.random_path("fast", materials[0], (480, 800), 8, np.random.default_rng(0))
    assert np.median(np.linalg.norm(np.diff(path.places, axis=0), axis=1)) > 48


def test_each_kind_gets_a_number_at_each_size_and_the_mean_of_all(root, tmp_path, capsys, monkeypatch):
    save_weights(tiny_network(), tmp_path / "tiny.safetensors")
    monkeypatch.setattr(stress, "load_model", lambda name, model: tiny_network())
    videos = ["--images", str(root / "images"), "--masks", str(root / "masks"), "--videos", "a", "b", "c"]
    small = ["--kinds", "fast", "tiny", "--sizes", "32", "48", "--clips", "1", "--frames", "3", "--device", "cpu"]
    stress.main([*videos, *small, "--weights", str(tmp_path / "tiny.safetensors")])
    head, *rows = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head[2:] == ["fast", "tiny", "mean"]
    assert [row[1] for row in rows] == ["32", "48", "all"]
    scores = np.array([[float(x) for x in row[2:]] for row in rows])
    np.testing.assert_allclose(scores[2], scores[:2].mean(axis=0), atol=0.11)


def test_videos_are_written_with_their_truth(root, tmp_path):
    videos = ["--images", str(root / "images"), "--masks", str(root / "masks"), "--videos", "a", "b", "c"]
    stress.main([*videos, "--weights", "--kinds", "fast", "--clips", "1", "--frames", "3", "--write", str(tmp_path)])
    (folder,) = (tmp_path / "JPEGImages").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["00000.jpg", "00001.jpg", "00002.jpg"]
    again = stress.read_material(folder.name, tmp_path / "JPEGImages", tmp_path / "Annotations", 3)
    materials = [stress.read_material(name, root / "images", root / "masks", 3) for name in ("a", "b", "c")]
    np.testing.assert_array_equal(again.masks, np.array(stress.make_video("fast", 0, 0, materials).truth) > 0)


def test_videos_that_are_too_short_are_reported(root, capsys):
    videos = ["--images", str(root / "images"), "--masks", str(root / "masks"), "--videos", "a", "b", "c"]
    with pytest.raises(SystemExit, match="expected 9 frames with masks, found 8"):
        stress.main([*videos, "--frames", "9"])
