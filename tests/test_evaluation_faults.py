"""What makes a run impossible is reported before it starts; one bad video is named and does not stop the others."""

import errno
import os
import re
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_evaluation import ALL_MASKS, TINY_MODEL, masks_in, run, write_two_videos
from tiny_sets import big_png, labels_with, numbered, write_frame, write_mask, write_video

import livos.pipeline.probabilities
from livos.build import build_model
from livos.checkpoints import save_weights
from livos.evaluation.report import print_report
from livos.masks.label_maps import read_labels
from livos.model.config import ModelConfig
from livos.segmenter.segmenter import SegmentationResult, VideoSegmenter


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_two_videos(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": None}, "weights=FILE is needed: `livos download` fetches the released"),
        (
            {"weights": "w/none.pth"},
            r"no weights at w.none\.pth: expected a file, or one of the names lite, nomose-480p",
        ),
        ({"size": 0}, "size=0: expected a positive number, or -1 for no limit"),
        ({"chunk_size": -2}, "chunk_size=-2: expected a positive number"),
        ({"precision": "float8"}, "precision=float8, expected one of float32, tf32, bfloat16, float16"),
        ({"image_directory": "nowhere"}, r"(?s)MISSING  image_directory: nowhere.*Get it"),
        ({"mask_directory": ""}, "needs mask_directory=FOLDER"),
        ({"video_list": "val.txt"}, r"MISSING  video_list: val\.txt"),
    ],
)
def test_settings_and_places_that_make_a_run_impossible(root, changes, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run(root, **changes)
    assert masks_in(root) == {}


def test_weights_of_another_network_are_refused_with_the_misfits(root):
    path = root / "other.pth"
    save_weights(build_model(ModelConfig(**{**TINY_MODEL, "num_blocks": 2, "num_queries": 8}), seed=0), path)
    with pytest.raises(
        ValueError, match=r"(?s)other\.pth does not fit this network .*not in the network: .* instead of"
    ):
        run(root, weights=str(path))


def test_a_web_page_or_half_a_file_instead_of_weights_is_refused(root):
    path = root / "weights.pth"
    path.write_text("<!DOCTYPE html><html>Too many downloads</html>")
    with pytest.raises(ValueError, match=r"weights\.pth is a web page: the download was refused"):
        run(root, weights=str(path))
    save_weights(build_model(ModelConfig(**TINY_MODEL), seed=0), path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"weights\.pth .* cannot be read as tensors, perhaps .* truncated"):
        run(root, weights=str(path))


def test_an_output_folder_that_cannot_be_written_is_refused(root):
    (root / "out").write_text("a file")
    with pytest.raises(OSError, match="out"):
        run(root)


def test_given_and_true_masks_are_not_written_over(root):
    message = "Annotations.a contains given or true masks, which would be lost"
    (root / "masks").rename(root / "Annotations")
    before = (root / "Annotations/a/00000.png").read_bytes()
    with pytest.raises(ValueError, match=message):
        run(root, mask_directory=str(root / "Annotations"), output_dir=str(root))
    write_mask(root / "first" / "a" / "00000.png", labels_with(1))
    with pytest.raises(ValueError, match=message):
        run(root, mask_directory=str(root / "first"), output_dir=str(root), truth_directory=str(root / "Annotations"))
    assert (root / "Annotations/a/00000.png").read_bytes() == before


def resized(path: Path) -> None:
    with Image.open(path) as image:
        image.resize((64, 48), Image.Resampling.NEAREST).save(path)


def with_soft_edge(path: Path) -> None:
    distance = np.hypot(*np.mgrid[-12:12, -16:16])
    Image.fromarray((255 * np.clip((10 - distance) / 2, 0, 1)).astype(np.uint8)).save(path)


def without_objects(path: Path) -> None:
    write_mask(path, labels_with())


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("place", "spoil", "message"),
    [
        ("masks/a/00000.png", Path.unlink, r"a: no mask for the first frame, .*00000\.jpg; masks found: 00002"),
        ("masks/a/00000.png", resized, r"masks.a.00000\.png: 64 x 48 pixels, expected 32 x 24"),
        ("masks/a/00000.png", with_soft_edge, r"masks.a.00000\.png: .* soft \(antialiased\) edge"),
        ("masks/a/00000.png", without_objects, r"masks.a.00000\.png: the only mask given is empty"),
        ("masks/a/00000.png", cut_short, r"masks.a.00000\.png: .*([Tt]runcated|cut short)"),
        ("images/a/00002.jpg", cut_short, r"images.a.00002\.jpg: the file is truncated"),
        ("images/a/00002.jpg", resized, r"images.a.00002\.jpg: 64 x 48 pixels, expected 32 x 24"),
        ("images/a/00003.jpg", emptied, r"images.a.00003\.jpg: not a readable image"),
    ],
)
def test_a_bad_file_fails_its_video_alone(root, caplog, capsys, place, spoil, message):
    spoil(root / place)
    report = run(root)
    assert list(report.errors) == ["a"] and re.search(message, report.errors["a"])
    assert f"a failed and is skipped: {report.errors['a']}" in caplog.text
    assert report.segmented == ["b"] and set(ALL_MASKS[4:]) <= set(masks_in(root))
    print_report(report, root / "out")
    printed = capsys.readouterr().out
    assert "1 of 2 videos segmented, 1 FAILED" in printed and f"FAILED a: {report.errors['a']}" in printed


def test_unusual_frames_are_segmented(tmp_path):
    names = ["b", "a", "10", "9", "x.y", "frame 2"]
    write_video(tmp_path / "images", tmp_path / "masks", "clip", names, {"9": [1]}, suffix=".png")
    for name, mode in {"a": "L", "10": "RGBA", "x.y": "I;16", "frame 2": "P"}.items():
        path = tmp_path / "images" / "clip" / f"{name}.png"
        with Image.open(path) as image:
            grey = np.array(image.convert("L"))
            (Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else image.convert(mode)).save(path)
    assert not run(tmp_path).errors
    assert sorted(masks_in(tmp_path)) == sorted(f"clip/{name}.png" for name in names)
    assert read_labels(tmp_path / "out/Annotations/clip/9.png").ids == [1]


def test_a_video_of_one_frame_gets_the_given_mask(tmp_path):
    write_video(tmp_path / "images", tmp_path / "masks", "a", ["00000"], {"00000": [3, 9]})
    assert run(tmp_path).frames == 1
    np.testing.assert_array_equal(read_labels(tmp_path / "out/Annotations/a/00000.png").labels, labels_with(3, 9))


def test_an_empty_first_mask_is_fine_where_later_ones_count(tmp_path):
    write_video(tmp_path / "images", tmp_path / "masks", "a", numbered(3), {"00000": [], "00001": [2]})
    assert not run(tmp_path, use_all_masks=True).errors
    given = [read_labels(path).ids for path in sorted((tmp_path / "out/Annotations/a").iterdir())]
    assert given[:2] == [[], [2]]


def test_a_full_disk_is_reported_with_the_file(root, monkeypatch):
    save = Image.Image.save

    def no_space(image, file, **options):
        if Path(file).parent.name == "a":
            raise OSError(errno.ENOSPC, "No space left on device")
        save(image, file, **options)

    monkeypatch.setattr(Image.Image, "save", no_space)
    report = run(root)
    assert re.search(r"No space left on device.*Annotations.a.0000\d\.png", report.errors["a"])
    assert list(masks_in(root)) == ALL_MASKS[4:] and report.segmented == ["b"]


def test_a_disk_that_is_full_when_probabilities_are_written_is_reported_with_the_file(root, monkeypatch):
    def no_space(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(livos.pipeline.probabilities.np, "savez_compressed", no_space)
    report = run(root, save_scores=True, videos=["a"])
    assert re.search(r"No space left on device.*Scores.a.0000\d\.npz", report.errors["a"])
    assert list((root / "out/Scores/a").iterdir()) == [] and not (root / "out/finished/a.json").exists()


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nMore"),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError("Unable to allocate 1. GiB for an array"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_too_little_memory_for_a_video_is_reported_with_what_helps(root, monkeypatch, error):
    fail_once(monkeypatch, VideoSegmenter, "step", error)
    report = run(root, size=32)
    assert report.errors["a"] == (
        "not enough memory on cpu; try a smaller size (now 32), chunk_size=1 (objects at a time; now -1), "
        f"precision=bfloat16 or float16 ({str(error).splitlines()[0]})"
    )
    assert report.segmented == ["b"]


def fail_once(monkeypatch, owner: type, name: str, error: BaseException) -> None:
    """Has a method raise the error at its third call."""
    method, calls = getattr(owner, name), []

    def failing(*args, **options):
        calls.append(1)
        if len(calls) == 3:
            raise error
        return method(*args, **options)

    monkeypatch.setattr(owner, name, failing)


def test_a_bug_is_not_mistaken_for_a_bad_video(root, monkeypatch):
    fail_once(monkeypatch, VideoSegmenter, "step", RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        run(root)


def test_an_error_in_a_writer_s_thread_is_raised(root, monkeypatch):
    def broken(result):
        raise RuntimeError("device-side assert")

    monkeypatch.setattr(SegmentationResult, "labels", property(broken))
    with pytest.raises(RuntimeError, match="device-side assert"):
        run(root)
    assert masks_in(root) == {}


def test_an_interruption_stops_at_once_and_leaves_no_half_files(root, monkeypatch):
    before = threading.active_count()
    fail_once(monkeypatch, VideoSegmenter, "step", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(root, save_scores=True, visualize=True)
    assert threading.active_count() == before
    left = [path for path in (root / "out").rglob("*") if path.is_file()]
    assert all(path.parent.name == "a" and path.stem in ("00000", "00001") for path in left)  # no report, no .part
    monkeypatch.undo()
    assert run(root).segmented == ["a", "b"]


def test_frames_are_not_left_open_or_threads_running(root):
    write_frame(root / "images" / "a" / "00002.jpg", size=(20, 20))
    before = threading.active_count()
    run(root)
    assert threading.active_count() == before
    if os.path.isdir("/proc/self/fd"):
        assert not [fd for fd in Path("/proc/self/fd").iterdir() if str(root) in os.path.realpath(fd)]


@pytest.mark.parametrize("place", ["images/a/00000.jpg", "images/a/00002.jpg", "masks/a/00000.png"])
def test_a_picture_that_claims_too_much_or_is_a_program_loses_its_own_video_only(root, place):
    for content in (big_png(30_000, 30_000), b"%!PS-Adobe-3.0 EPSF-3.0"):
        (root / place).write_bytes(content)
        report = run(root, resume=False)
        assert list(report.errors) == ["a"]
        assert "LIVOS_MAX_PIXELS" in report.errors["a"] or "a PostScript program" in report.errors["a"]
        assert Path(place).name in report.errors["a"]
        assert "b/00003.png" in masks_in(root)
