"""Every number that the two programs in use gave for the recorded masks, to 1e-9."""

import json
import shutil
from pathlib import Path

import pytest
from vos_benchmark import Result, Scorer, ScoringError, score
from vos_benchmark.masks import read_labels

TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def expected(data_dir: Path) -> dict:
    return json.loads((data_dir / "expected.json").read_text())


@pytest.fixture(scope="module")
def result(data_dir: Path) -> Result:
    return score(data_dir / "truth", data_dir / "prediction")


def objects_of(result: Result) -> dict:
    return {video.name: {str(item.id): item for item in video.objects} for video in result.videos}


def test_every_frame_and_object_agrees_with_vos_benchmark(expected, result):
    found = objects_of(result)
    assert found.keys() == expected["vos_benchmark_protocol"].keys()
    for video, objects in expected["vos_benchmark_protocol"].items():
        assert found[video].keys() == objects.keys()
        for id, numbers in objects.items():
            item = found[video][id]
            assert item.J_per_frame == pytest.approx(numbers["J_per_frame"], rel=0, abs=TOLERANCE)
            assert item.F_per_frame == pytest.approx(numbers["F_per_frame"], rel=0, abs=TOLERANCE)
            assert item.measures["J"] == pytest.approx(numbers["J"], rel=0, abs=TOLERANCE)
            assert item.measures["F"] == pytest.approx(numbers["F"], rel=0, abs=TOLERANCE)


def test_global_score_agrees_with_vos_benchmark(expected, result):
    numbers = expected["vos_benchmark_protocol_global"]
    assert pytest.approx(numbers["J"], rel=0, abs=TOLERANCE) == result.J
    assert pytest.approx(numbers["F"], rel=0, abs=TOLERANCE) == result.F
    assert pytest.approx((numbers["J"] + numbers["F"]) / 2, rel=0, abs=TOLERANCE) == result.J_and_F


def test_mean_recall_and_decay_agree_with_davis2017(expected, data_dir, tmp_path):
    for side in ("truth", "prediction"):
        for video in expected["davis_protocol"]:
            shutil.copytree(data_dir / side / video, tmp_path / side / video)
    found = objects_of(score(tmp_path / "truth", tmp_path / "prediction", protocol="davis2017"))
    assert found.keys() == expected["davis_protocol"].keys()
    for video, objects in expected["davis_protocol"].items():
        assert found[video].keys() == objects.keys()
        for id, numbers in objects.items():
            for measure in ("J", "F"):
                wanted = [numbers[measure][name] for name in ("mean", "recall", "decay")]
                measures = found[video][id].measures
                got = [measures[measure], measures[f"{measure}_recall"], measures[f"{measure}_decay"]]
                assert got == pytest.approx(wanted, rel=0, abs=TOLERANCE), (video, id, measure)


def test_davis2017_refuses_ids_above_the_first_frame_by_name(data_dir):
    with pytest.raises(ScoringError, match="late-object: frame 00006 of the prediction has id 5, above the 1"):
        score(data_dir / "truth", data_dir / "prediction", protocol="davis2017")


def test_two_processes_find_the_same(data_dir, result):
    shared = score(data_dir / "truth", data_dir / "prediction", processes=2)
    assert shared.videos == result.videos


def test_scorer_fed_by_frame_finds_the_same_in_any_order(data_dir, result):
    scorer = Scorer()
    for path in sorted((data_dir / "truth").glob("[!l]*/*.png"), reverse=True):
        prediction = read_labels(data_dir / "prediction" / path.parent.name / path.name)
        scorer.add(path.parent.name, path.stem, read_labels(path), prediction)
    assert scorer.result().videos == tuple(video for video in result.videos if not video.name.startswith("l"))
