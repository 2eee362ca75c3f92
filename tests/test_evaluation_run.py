"""A test set is segmented according to the settings, and leaves only the masks, the report and the archive."""

import json
import os
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_evaluation_sets import write_davis, write_youtube
from tiny_evaluation import ALL_MASKS, TINY_MODEL, masks_in, run, tiny_settings, write_two_videos
from tiny_sets import SIZE, labels_with, numbered, write_mask, write_video

from livos.build import build_model
from livos.checkpoints import save_weights
from livos.distributed import Process
from livos.evaluation.output_folder import OutputFolder
from livos.evaluation.report import print_report
from livos.evaluation.run import share
from livos.evaluation.sets import open_test_set
from livos.masks.label_maps import object_ids, read_labels
from livos.model.config import ModelConfig
from livos.pipeline.probabilities import read_probabilities


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_two_videos(tmp_path)
    return tmp_path


def labels_of(root: Path, mask: str) -> np.ndarray:
    return read_labels(root / "out" / "Annotations" / mask).labels


def scores_of(root: Path, video: str = "a") -> np.ndarray:
    """Probabilities of all frames of a video, (T, 1 + N, H, W)."""
    files = sorted((root / "out" / "Scores" / video).iterdir())
    return np.stack([read_probabilities(path).probabilities for path in files])


def test_every_frame_gets_a_mask_and_the_run_a_report(root, capsys):
    report = run(root)
    assert list(masks_in(root)) == ALL_MASKS
    np.testing.assert_array_equal(labels_of(root, "a/00000.png"), labels_with(1, 2))
    assert {*object_ids(labels_of(root, "a/00003.png"))} <= {1, 2}
    assert (report.videos, report.segmented, report.frames, report.errors) == (2, ["a", "b"], 8, {})
    assert report.network_frames_per_second > report.frames_per_second > 0
    assert os.name == "nt" or report.peak_memory_bytes > 2**20
    assert json.loads((root / "out" / "report.json").read_text()) == asdict(report)
    print_report(report, root / "out")
    text = capsys.readouterr().out
    assert "generic: 2 of 2 videos segmented\n" in text and "(8 frames on cpu, float32)" in text
    assert f"masks: {root / 'out' / 'Annotations'}" in text


def test_the_default_folder_has_the_name_of_the_set(tmp_path):
    assert OutputFolder.of(tiny_settings(tmp_path, output_dir=None)).path == Path("results/generic")


def test_later_masks_count_on_request(root, caplog):
    run(root, videos=["a"])
    assert "a: only the first of 2 masks is used (use_all_masks=true)" in caplog.text
    run(root, videos=["a"], use_all_masks=True)
    assert 7 in object_ids(labels_of(root, "a/00002.png"))


@pytest.mark.parametrize("kind", ["palette", "grey", "grey16", "binary", "bilevel", "colours", "rgb_ids"])
def test_masks_are_coded_as_the_given_one(tmp_path, kind):
    write_video(tmp_path / "images", tmp_path / "masks", "a", numbered(2), {})
    given = write_mask(tmp_path / "masks" / "a" / "00000.png", labels_with(1), kind)
    if kind == "palette":
        with Image.open(given) as image:
            image.putpalette(bytes(range(256)) * 3)
            image.save(given)
    run(tmp_path)
    for frame in numbered(2):
        with Image.open(tmp_path / f"out/Annotations/a/{frame}.png") as written, Image.open(given) as image:
            assert (written.mode, written.getpalette()) == (image.mode, image.getpalette())
            if frame == "00000":
                np.testing.assert_array_equal(np.array(written), np.array(image))


def test_three_hundred_objects_keep_their_ids(tmp_path):
    labels = np.zeros(SIZE, np.int32)
    labels[::2, ::2].flat[:] = np.arange(1000, 1192)
    labels[1::2, ::2].flat[:108] = np.arange(2000, 2108)
    write_video(tmp_path / "images", tmp_path / "masks", "a", numbered(2), {})
    write_mask(tmp_path / "masks" / "a" / "00000.png", labels, "rgb_ids")
    assert not run(tmp_path, chunk_size=64).errors
    np.testing.assert_array_equal(labels_of(tmp_path, "a/00000.png"), labels)
    assert set(object_ids(labels_of(tmp_path, "a/00001.png"))) <= set(object_ids(labels))


def test_probabilities_and_overlays_are_written_on_request(root):
    run(root, save_scores=True, visualize=True)
    scores = read_probabilities(root / "out/Scores/b/00003.npz")
    np.testing.assert_allclose(scores.probabilities.sum(axis=0), 1, atol=0.01)
    confident = np.sort(scores.probabilities, axis=0)
    sure = confident[-1] - confident[-2] > 0.01  # they are rounded to 1/255
    np.testing.assert_array_equal(scores.labels()[sure], labels_of(root, "b/00003.png")[sure])
    with Image.open(root / "out/Overlays/b/00003.jpg") as picture:
        assert (picture.mode, picture.size) == ("RGB", SIZE[::-1])


def test_only_the_videos_that_are_named_are_segmented(root):
    assert run(root, videos=["b"]).videos == 1
    assert list(masks_in(root)) == ALL_MASKS[4:]
    with pytest.raises(ValueError, match="generic has no videos named c; it has a, b"):
        run(root, videos=["b", "c"])


def test_the_frames_that_the_server_asks_for_are_written_or_all(tmp_path):
    write_youtube(tmp_path, "YouTube/all_frames/valid_all_frames/JPEGImages", "YouTube/valid")
    run(tmp_path, "y19-val")
    assert list(masks_in(tmp_path)) == ["empty/00003.png", "late/00000.png", "late/00003.png"]
    run(tmp_path, "y19-val", save_all=True)
    assert list(masks_in(tmp_path)) == [f"{video}/{frame}.png" for video in ("empty", "late") for frame in numbered(6)]


def test_an_archive_is_packed_where_there_is_a_server_and_nothing_is_missing(tmp_path):
    write_davis(tmp_path / "DAVIS/2017/test-dev", "2017/test-dev.txt", "bear", "cow")
    path = tmp_path / "out" / "d17-test-dev.zip"
    run(tmp_path, "d17-test-dev", videos=["bear"])
    assert not path.exists()
    assert run(tmp_path, "d17-test-dev").archive == str(path)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == [
            f"{name}/{frame}.png" for name in ("bear", "cow") for frame in numbered(3)
        ]


def test_size_precision_and_mirrored_frames_change_what_the_network_sees(root):
    changes = {
        "plain": {},
        "size": {"size": 48},
        "precision": {"precision": "bfloat16"},
        "amp": {"amp": True},
        "flip": {"flip_aug": True},
    }
    seen, precisions = {}, {}
    for name, change in changes.items():
        precisions[name] = run(root, save_scores=True, videos=["a"], resume=False, **change).precision
        seen[name] = scores_of(root)
    assert [*precisions.values()] == ["float32", "float32", "bfloat16", "bfloat16", "float32"]
    assert all(scores.shape == (4, 3, *SIZE) for scores in seen.values())
    np.testing.assert_array_equal(seen.pop("amp"), seen["precision"])
    plain = seen.pop("plain")
    assert not any(np.array_equal(plain, scores) for scores in seen.values())


def test_objects_in_chunks_give_the_same(root):
    run(root, save_scores=True, videos=["a"])
    together = scores_of(root)
    run(root, save_scores=True, videos=["a"], chunk_size=1, resume=False)
    np.testing.assert_allclose(scores_of(root), together, atol=0.005)


def test_weights_are_taken_from_the_file(root):
    path = root / "w.safetensors"
    save_weights(build_model(ModelConfig(**TINY_MODEL), seed=1), path)
    assert run(root, videos=["a"], save_scores=True).weights == "untrained"
    scores = scores_of(root)
    assert run(root, videos=["a"], save_scores=True, weights=str(path)).weights == str(path)
    assert not np.array_equal(scores, scores_of(root))


def test_the_network_works_at_the_size_that_suits_the_weights(root):
    network = build_model(ModelConfig(**TINY_MODEL), seed=1)
    for name, short_side in [("says.safetensors", 32), ("silent.safetensors", None)]:
        save_weights(network, root / name, short_side=short_side)
        report = run(root, videos=["a"], weights=str(root / name), size=None, resume=False)
        assert report.settings["size"] == (short_side or 480)
    assert run(root, videos=["a"], weights=str(root / "says.safetensors"), size=16).settings["size"] == 16


def test_random_weights_are_reported_loudly(root, caplog):
    run(root, videos=["a"])
    assert "UNTRAINED NETWORK: its weights are random, so its masks mean nothing" in caplog.text


def test_the_work_is_shared_evenly_and_completely(tmp_path):
    for name, length in {"a": 5, "b": 2, "c": 3, "d": 1, "e": 4}.items():
        write_video(tmp_path / "images", tmp_path / "masks", name, numbered(length), {"00000": [1]})
    videos = open_test_set(tiny_settings(tmp_path))

    def parts(skipped=()):
        return ["".join(v.name for v in share(videos, Process(rank, 2, None), skipped)) for rank in range(2)]

    assert parts() == ["abd", "ce"]
    assert parts(skipped={"a", "e"}) == ["ac", "bde"]
