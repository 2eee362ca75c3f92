"""The function `benchmark`, as programs that use the well-known tool call it."""

import csv
import inspect
import json
import shutil

import pytest
from mask_folders import MaskFolders, square
from vos_benchmark import ScoringError
from vos_benchmark.benchmark import benchmark


@pytest.fixture
def recorded(data_dir, tmp_path):
    """The recorded masks in a writable place, and what the well-known tool gives for them."""
    shutil.copytree(data_dir / "prediction", tmp_path / "prediction")
    expected = json.loads((data_dir / "expected.json").read_text())
    return data_dir / "truth", tmp_path / "prediction", expected


def test_call_is_the_one_that_users_have_in_their_code():
    bare = [item.replace(annotation=item.empty) for item in inspect.signature(benchmark).parameters.values()]
    assert ", ".join(map(str, bare)) == (
        "gt_roots, mask_roots, strict=True, num_processes=None, verbose=True, skip_first_and_last=True"
    )
    assert [item.name for item in bare if item.kind is item.KEYWORD_ONLY] == ["verbose", "skip_first_and_last"]


def test_numbers_are_those_of_the_well_known_tool(recorded, capsys):
    truth, prediction, expected = recorded
    jf, j, f, objects = benchmark([str(truth)], [str(prediction)], strict=False, num_processes=1)
    total = expected["vos_benchmark_protocol_global"]
    assert j == pytest.approx([100 * total["J"]], rel=0, abs=1e-9)
    assert f == pytest.approx([100 * total["F"]], rel=0, abs=1e-9)
    assert jf == pytest.approx([50 * (total["J"] + total["F"])], rel=0, abs=1e-9)
    assert objects[0].keys() == expected["vos_benchmark_protocol"].keys()
    for video, wanted in expected["vos_benchmark_protocol"].items():
        region, boundary = objects[0][video]
        assert region == pytest.approx({int(id): 100 * item["J"] for id, item in wanted.items()}, rel=0, abs=1e-9)
        assert boundary == pytest.approx({int(id): 100 * item["F"] for id, item in wanted.items()}, rel=0, abs=1e-9)
    with open(prediction / "results.csv", newline="") as file:
        assert float(next(csv.DictReader(file))["J&F"]) == jf[0]
    assert f"Global score,    , {jf[0]:6.2f}, {j[0]:6.2f}, {f[0]:6.2f}" in capsys.readouterr().out


def test_each_data_set_has_its_numbers_and_its_file(folders, tmp_path):
    (tmp_path / "other").mkdir()
    other = MaskFolders(tmp_path / "other")
    other.add("late", [square(5, 5)] * 4, [square(5, 5)] * 3 + [square(30, 40)])
    truths, predictions = [folders.truth, other.truth], [folders.prediction, other.prediction]
    assert benchmark(truths, predictions, num_processes=1)[0] == [100, 100]
    jf, _, _, objects = benchmark(truths, predictions, num_processes=1, skip_first_and_last=False)
    assert jf == [100, 75]
    assert objects[1] == {"late": ({1: 75.0}, {1: 75.0})}
    assert all((folder / "results.csv").exists() for folder in predictions)


def test_strict_is_the_default(folders):
    shutil.rmtree(folders.prediction / "two")
    with pytest.raises(ScoringError, match="1 of 2 videos are missing in the prediction: two"):
        benchmark([folders.truth], [folders.prediction])
    with pytest.warns(UserWarning, match="1 of 2 videos are missing in the prediction: two"):
        assert benchmark([folders.truth], [folders.prediction], strict=False, verbose=False)[0] == [100]


def test_nothing_is_printed_unless_wanted(folders, capsys):
    benchmark([folders.truth], [folders.prediction], num_processes=1, verbose=False)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_root_of_a_data_set_stands_for_its_annotations(folders, tmp_path):
    (tmp_path / "set").mkdir()
    folders.truth.rename(tmp_path / "set" / "Annotations")
    assert benchmark([tmp_path / "set"], [folders.prediction], num_processes=1)[0] == [100]


def test_folders_that_are_not_lists_are_refused(folders):
    with pytest.raises(ScoringError, match=r"gt_roots='.*truth': expected a list of folders"):
        benchmark(str(folders.truth), str(folders.prediction))
    with pytest.raises(ScoringError, match="1 folders of truth for 2 folders of predictions"):
        benchmark([folders.truth], [folders.prediction] * 2)
