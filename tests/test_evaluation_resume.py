"""A run resumes where an earlier one stopped, and never reuses masks that were made in another way."""

import json
import os
from functools import partial
from pathlib import Path

import pytest
from tiny_evaluation import ALL_MASKS, TINY_MODEL, masks_in, run, write_two_videos
from tiny_sets import labels_with, write_mask

from livos.build import build_model
from livos.checkpoints import save_weights
from livos.files.folder_lock import folder_in_use
from livos.model.config import ModelConfig
from livos.segmenter.segmenter import VideoSegmenter


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_two_videos(tmp_path)
    return tmp_path


def stop_at_step(monkeypatch, number: int) -> None:
    """Interrupts a run at its step of that number, the first being 1."""
    step, calls = VideoSegmenter.step, []

    def stopping(*args, **options):
        calls.append(1)
        if len(calls) == number:
            raise KeyboardInterrupt
        return step(*args, **options)

    monkeypatch.setattr(VideoSegmenter, "step", stopping)


def interrupted_run(root: Path, monkeypatch, at_step: int, **changes) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_at_step(patch, at_step)
        run(root, **changes)


def test_finished_videos_are_skipped_and_left_alone(root, capsys):
    run(root)
    before, times = masks_in(root), {p: p.stat().st_mtime_ns for p in (root / "out/Annotations").rglob("*.png")}
    report = run(root)
    assert (report.skipped, report.segmented, report.frames) == (["a", "b"], [], 0)
    assert masks_in(root) == before and all(path.stat().st_mtime_ns == time for path, time in times.items())
    assert run(root, resume=False).segmented == ["a", "b"]
    assert masks_in(root) == before


def test_an_interrupted_run_resumes_with_the_same_masks(root, monkeypatch):
    run(root)
    whole = masks_in(root)
    for path in (root / "out").rglob("*.*"):
        path.unlink()
    interrupted_run(root, monkeypatch, at_step=7)
    assert set(ALL_MASKS[:4]) <= set(masks_in(root)) and "b/00003.png" not in masks_in(root)
    report = run(root)
    assert (report.skipped, report.segmented) == (["a"], ["b"])
    assert masks_in(root) == whole


@pytest.mark.parametrize("lost", ["Annotations/a/00002.png", "Scores/a/00000.npz", "Overlays/a/00003.jpg"])
def test_a_video_that_lacks_a_file_is_done_again(root, lost):
    wanted = {"save_scores": True, "visualize": True}
    run(root, **wanted)
    (root / "out" / lost).unlink()
    assert run(root, **wanted).segmented == ["a"]
    assert (root / "out" / lost).is_file()
    assert run(root).skipped == ["a", "b"]  # masks alone are wanted


def test_other_settings_are_reported_and_everything_is_done_again(root, caplog):
    run(root)
    caplog.clear()
    assert run(root, size=48, flip_aug=True).segmented == ["a", "b"]
    assert "2 videos were made with other settings (flip_aug, size) and will be redone" in caplog.text
    model = ModelConfig(**{**TINY_MODEL, "num_blocks": 2})
    assert run(root, size=48, flip_aug=True, model=model).segmented == ["a", "b"]
    assert "other settings (model)" in caplog.text


def test_settings_that_change_no_mask_change_nothing(root, caplog):
    run(root)
    caplog.clear()
    assert run(root, chunk_size=1, videos=["a"], num_videos=2).skipped == ["a"]
    assert "other settings" not in caplog.text


def test_masks_left_by_an_interrupted_run_with_other_settings_are_not_taken_for_new(root, monkeypatch):
    run(root)
    interrupted_run(root, monkeypatch, at_step=6, size=48)  # in the second video, all of whose old masks are there
    assert list(masks_in(root)) == ALL_MASKS
    report = run(root, size=48)
    assert (report.skipped, report.segmented) == (["a"], ["b"])
    resumed = masks_in(root)
    run(root, size=48, resume=False)
    assert masks_in(root) == resumed


def test_a_video_that_failed_is_done_again(root):
    path = root / "images/a/00002.jpg"
    content = path.read_bytes()
    path.write_bytes(content[:100])
    assert list(run(root).errors) == ["a"]
    path.write_bytes(content)
    report = run(root)
    assert (report.skipped, report.segmented, report.errors) == (["b"], ["a"], {})


def test_another_given_mask_counts(root, caplog):
    run(root)
    write_mask(root / "masks/b/00000.png", labels_with(1, 2, 3))
    assert run(root).segmented == ["b"]
    assert "1 videos were made with other settings (given_masks)" in caplog.text


def test_other_weights_of_the_same_name_count(root, caplog):
    path = root / "w.safetensors"
    save_weights(build_model(ModelConfig(**TINY_MODEL), seed=1), path)
    run(root, weights=str(path), videos=["a"])
    assert run(root, weights=str(path), videos=["a"]).skipped == ["a"]
    save_weights(build_model(ModelConfig(**TINY_MODEL), seed=2), path)
    os.utime(path, (0, 0))
    assert run(root, weights=str(path), videos=["a"]).segmented == ["a"]
    assert "other settings (weights)" in caplog.text


def test_a_damaged_note_is_not_proof(root):
    run(root)
    note = root / "out/finished/a.json"
    assert json.loads(note.read_text())["size"] == -1
    note.write_text("{")
    assert run(root).segmented == ["a"]


def test_a_second_evaluation_into_the_same_folder_is_told(root, monkeypatch):
    monkeypatch.setattr("livos.evaluation.run.folder_in_use", partial(folder_in_use, patience=0))
    with (
        folder_in_use(root / "out", "an evaluation"),
        pytest.raises(BlockingIOError, match="out is in use by an evaluation, process"),
    ):
        run(root)
    run(root)


def test_what_a_killed_run_left_half_written_is_deleted(root):
    leftovers = [
        root / f"out/{folder}/.00000.999999999-7.part{suffix}"
        for folder, suffix in (("Annotations/b", ".png"), ("Scores/a", ".npz"), ("finished", ".json"))
    ]
    for path in leftovers:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half")
    run(root)
    assert not any(path.exists() for path in leftovers)
