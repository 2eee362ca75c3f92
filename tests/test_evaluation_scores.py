"""An evaluation gives the same scores as the scoring command for the same masks."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_evaluation import run
from tiny_sets import labels_with, numbered, write_mask, write_video

from livos.evaluation.report import print_report

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def scoring_tool(monkeypatch):
    """Makes the scoring tool importable where it is not installed."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "vos-benchmark"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two videos of six frames, whose objects move in truth; object 3 appears on the fourth frame."""
    for video, shift in (("a", 1), ("b", 2)):
        write_video(tmp_path / "images", tmp_path / "masks", video, numbered(6), {"00000": [1, 2]})
        for number, frame in enumerate(numbered(6)):
            labels = labels_with(1, 2) if number < 3 else labels_with(1, 2, 3)
            write_mask(tmp_path / "truth" / video / f"{frame}.png", np.roll(labels, number * shift, axis=1))
    return tmp_path


def scored_run(root: Path, **changes) -> dict:
    return run(root, score=True, truth_directory=str(root / "truth"), **changes)


def said_by_the_command(root: Path, *options: str) -> dict:
    """What the scoring command writes about the masks in the output folder."""
    from vos_benchmark.command import main

    arguments = ["-g", str(root / "truth"), "-m", str(root / "out/Annotations"), "-n", "1"]
    assert main([*arguments, "--json", str(root / "scores.json"), *options]) == 0
    return json.loads((root / "scores.json").read_text())


def check_the_same(scores: dict, said: dict) -> None:
    assert scores["J&F"] > 0
    assert {name: scores[name] for name in said["score"]} == pytest.approx(said["score"], abs=1e-12)
    assert list(scores["videos"]) == list(said["videos"])
    for name, measures in scores["videos"].items():
        assert measures == pytest.approx({key: said["videos"][name][key] for key in measures}, abs=1e-12)


def test_the_scores_are_those_of_the_command(root, capsys):
    report = scored_run(root)
    check_the_same(report.scores, said_by_the_command(root))
    capsys.readouterr()
    print_report(report, root / "out")
    assert f"J&F {100 * report.scores['J&F']:.1f}  J " in capsys.readouterr().out
    assert json.loads((root / "out/report.json").read_text())["scores"] == report.scores


def test_finished_videos_are_scored_without_being_segmented(root):
    run(root, videos=["b"])
    report = scored_run(root)
    assert (report.skipped, report.segmented) == (["b"], ["a"])
    check_the_same(report.scores, said_by_the_command(root))
    again = scored_run(root)
    assert (again.segmented, again.scores) == ([], report.scores)


def test_the_first_and_the_last_frame_do_not_count(root):
    scores = scored_run(root).scores
    for name in ("00000", "00005"):
        write_mask(root / "truth" / "a" / f"{name}.png", labels_with(1))
    assert scored_run(root).scores == scores
    write_mask(root / "truth" / "a" / "00001.png", labels_with(1))
    assert scored_run(root).scores != scores


def test_only_frames_with_a_truth_are_scored(root):
    for name in ("00001", "00004"):
        (root / "truth" / "b" / f"{name}.png").unlink()
    check_the_same(scored_run(root).scores, said_by_the_command(root))


def test_black_and_white_masks_are_scored(tmp_path):
    write_video(tmp_path / "images", tmp_path / "masks", "a", numbered(4), {})
    for frame in numbered(2):
        write_mask(tmp_path / f"masks/a/{frame}.png", labels_with(1), "binary")
    for shift, frame in enumerate(numbered(4)):
        write_mask(tmp_path / f"truth/a/{frame}.png", np.roll(labels_with(1), shift, axis=0), "binary")
    check_the_same(scored_run(tmp_path, use_all_masks=True).scores, said_by_the_command(tmp_path))


def test_void_is_background_of_the_truth(root):
    labels = np.roll(labels_with(1, 2), 2, axis=1)
    labels[20:] = 255
    write_mask(root / "truth/a/00002.png", labels)
    check_the_same(scored_run(root, void_id=255).scores, said_by_the_command(root, "--void", "background"))


def test_a_video_that_cannot_be_scored_keeps_its_masks_and_is_reported(root):
    with_more = write_mask(root / "truth/a/00006.png", labels_with(1))
    report = scored_run(root)
    assert report.errors == {
        "a": f"segmented, but not scored: {with_more.parent}: true masks of frames that were not written: 00006"
    }
    assert report.segmented == ["a", "b"] and list(report.scores["videos"]) == ["b"]
    with_more.unlink()
    write_mask(root / "truth/a/00003.png", labels_with(1, size=(48, 64)))
    assert "00003.png: 64 x 48 pixels, expected 32 x 24" in scored_run(root).errors["a"]
    for path in (root / "truth/a").iterdir():
        path.unlink()
    assert "truth" in scored_run(root).errors["a"] and "contains no true masks" in scored_run(root).errors["a"]
    (root / "truth/a").rmdir()
    assert str(root / "truth" / "a") in scored_run(root).errors["a"]


def test_nothing_to_score_is_reported(tmp_path):
    write_video(tmp_path / "images", tmp_path / "truth", "a", ["00000"], {"00000": [1]})
    report = scored_run(tmp_path, mask_directory=str(tmp_path / "truth"))
    assert report.segmented == ["a"] and "nothing to score" in report.errors["score"]


def test_what_is_missing_for_scoring_is_reported_before_anything_is_done(root, monkeypatch):
    with pytest.raises(ValueError, match="score=true: dataset=generic has no true masks at truth_directory=None"):
        run(root, score=True)
    with pytest.raises(ValueError, match="has no true masks at truth_directory=nowhere"):
        run(root, score=True, truth_directory="nowhere")
    monkeypatch.setitem(sys.modules, "vos_benchmark", None)
    with pytest.raises(ImportError, match=r"score=true needs the scoring package: pip install \./vos-benchmark"):
        scored_run(root)
    assert not (root / "out/Annotations").exists()
