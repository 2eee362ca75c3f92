"""benchmarks/clicks.py measures what it says: overlaps worked out by hand, and its tables of generated pictures."""

from __future__ import annotations

import re
from argparse import Namespace

import numpy as np
import pytest
import torch
from click_sets import bright_disc, write_click_sets, write_picture
from script_modules import load_script

from livos.checkpoints import save_weights
from livos.clicks.head import INSIDE, OUTSIDE, ClickHead

benchmark = load_script("benchmarks/clicks.py")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two pictures in each of the sets that are tested with, and their discs."""
    return write_click_sets(tmp_path_factory.mktemp("data"), coco=2, ccp=2)


def mask_of(*columns: int) -> np.ndarray:
    """(5, 40) with these columns."""
    mask = np.zeros((5, 40), bool)
    mask[:, list(columns)] = True
    return mask


class Pretended:
    """A method that answers with the given masks, one after another, and notes what it is asked."""

    def __init__(self, *answers: np.ndarray):
        self.answers, self.asked = list(answers), []

    def mask(self, clicks, box):
        self.asked.append((list(clicks), box))
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [((0, 1, 2, 3), 1.0), ((0, 1), 0.5), ((3, 4), 0.2), ((10,), 0.0), ((), 0.0), (tuple(range(40)), 0.1)],
)
def test_the_iou_is_what_both_have_of_what_either_has(columns, expected):
    assert benchmark.iou(mask_of(*columns), mask_of(0, 1, 2, 3)) == pytest.approx(expected)


def test_the_iou_of_nothing_with_nothing_is_a_number():
    assert benchmark.iou(mask_of(), mask_of()) == 0


def test_a_box_ends_after_the_last_pixel():
    mask = np.zeros((20, 30), bool)
    mask[3:8, 10:22] = True
    assert benchmark.box_of(mask) == (10, 3, 22, 8)


def test_each_click_is_in_the_largest_error_of_the_answer_before():
    truth = mask_of(*range(10, 20))
    method = Pretended(mask_of(*range(10, 15)), mask_of(*range(10, 31)))
    overlaps = benchmark.clicked(method, truth, None, 2)
    assert overlaps == pytest.approx([0, 0.5, 10 / 21])
    (first, box), (both, _) = method.asked
    assert box is None and both[:1] == first and len(both) == 2
    (x, _, label), (x2, _, label2) = both
    assert 10 < x < 20 and label == INSIDE and 15 < x2 < 20 and label2 == INSIDE


def test_a_surplus_is_clicked_away():
    truth = mask_of(*range(10))
    method = Pretended(mask_of(*range(30)), truth)
    assert benchmark.clicked(method, truth, (0, 0, 10, 5), 1) == pytest.approx([1 / 3, 1])
    assert method.asked[0] == ([], (0, 0, 10, 5))
    ((x, _, label),), box = method.asked[1]
    assert 10 < x < 30 and label == OUTSIDE and box == (0, 0, 10, 5)


def test_an_answer_that_is_the_true_mask_counts_for_all_further_clicks():
    truth = mask_of(1, 2)
    method = Pretended(mask_of(1), truth)
    assert benchmark.clicked(method, truth, None, 5) == [0, 0.5, 1, 1, 1, 1]
    assert len(method.asked) == 2


def test_the_tables_show_means_over_images(capsys):
    ramp = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    results = {
        ("head", start, name): [[level + x for x in ramp] for level in levels]
        for start in ("clicks", "box")
        for name, levels in (("coco", (0.0, 0.1, 0.5)), ("ccp", (0.4,)))
    }
    benchmark.report(results, np.array([[1.0, 0.1], [3.0, np.nan], [8.0, 0.3]]))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith("head")] == [
        ["head", "ccp", "(", "1)", "0.500", "0.600", "0.700", "0.900"],
        ["head", "coco", "(", "3)", "0.300", "0.400", "0.500", "0.700"],
        ["head", "all", "(", "4)", "0.350", "0.450", "0.550", "0.750"],
        ["head", "ccp", "(", "1)", "0.400", "0.500", "0.600", "0.700", "0.900"],
        ["head", "coco", "(", "3)", "0.200", "0.300", "0.400", "0.500", "0.700"],
        ["head", "all", "(", "4)", "0.250", "0.350", "0.450", "0.550", "0.750"],
    ]
    assert "first click 3.000, further clicks 0.200" in lines[-1]


def rows(printed: str) -> dict[tuple[str, str, str], list[float]]:
    """The means that a run has printed, by start, method and set."""
    found, start = {}, ""
    for line in printed.splitlines():
        if match := re.match(r"mean IoU, (clicks|box)", line):
            start = match[1]
        elif match := re.match(r"(head|grabcut) +(\w+) +\( *\d+\) +(.+)", line):
            found[start, match[1], match[2]] = [float(x) for x in match[3].split()]
    return found


def test_the_head_is_measured_on_the_pictures_kept_out(data, capsys, monkeypatch):
    report, measured = benchmark.report, []
    monkeypatch.setattr(benchmark, "report", lambda *found: measured.extend(found) or report(*found))
    benchmark.main(["--data", str(data), "--methods", "head"])
    results, times = measured
    assert times.shape == (4, 2) and (times[:, 0] > 0).all()
    assert {key: len(overlaps) for key, overlaps in results.items()} == {
        ("head", start, name): 2 for start in ("clicks", "box") for name in ("coco", "ccp")
    }
    printed = rows(capsys.readouterr().out)
    assert len(printed) == 6
    for name in ("coco", "ccp"):
        overlaps = np.array(results["head", "clicks", name])
        assert printed["clicks", "head", name] == pytest.approx(overlaps[:, [1, 2, 3, 5]].mean(0), abs=6e-4)
    assert printed["clicks", "head", "all"][2] > 0.7, "three clicks on a bright disc"
    assert printed["box", "head", "all"][0] > 0.7


def test_grabcut_is_measured_on_one_picture_of_each_set(data, capsys):
    benchmark.main(["--data", str(data), "--methods", "grabcut", "--every", "2"])
    text = capsys.readouterr().out
    printed = rows(text)
    assert {key[1] for key in printed} == {"grabcut"} and text.count("(  1)") == 4 and "seconds" not in text
    assert printed["clicks", "grabcut", "all"][3] > 0.5 and printed["box", "grabcut", "all"][0] > 0.5


def test_another_head_is_measured_with(data, tmp_path, capsys):
    torch.manual_seed(0)
    save_weights(ClickHead((24, 40, 112)), tmp_path / "untrained.safetensors")
    benchmark.main(
        ["--data", str(data), "--methods", "head", "--every", "2", "--head", f"{tmp_path}/untrained.safetensors"]
    )
    assert rows(capsys.readouterr().out)["clicks", "head", "all"][0] < 0.5


def failure(*arguments: str) -> str:
    """The one sentence with which the program ends."""
    with pytest.raises(SystemExit) as end:
        benchmark.main(list(arguments))
    assert isinstance(end.value.code, str) and "\n" not in end.value.code
    return end.value.code


def test_missing_data_and_weights_are_named(data, tmp_path):
    assert f"{tmp_path}: found no pictures" in failure("--data", str(tmp_path))
    assert "missing.safetensors" in failure("--data", str(data), "--head", str(tmp_path / "missing.safetensors"))


def test_a_data_set_of_tiny_objects_is_refused(data, tmp_path):
    root = write_click_sets(tmp_path, coco=1, ccp=1)
    for name in ("coco_objects", "ccp"):
        folder = root / "static" / name
        write_picture(folder / "JPEGImages", folder / "Annotations", "00000", bright_disc()[0], np.eye(48, 64) > 2)
    assert failure("--data", str(root)) == f"{root}: no image has an object that covers 1% of it or more"


def test_every_0th_image_is_refused(data, capsys):
    with pytest.raises(SystemExit) as end:
        benchmark.main(["--data", str(data), "--every", "0"])
    assert end.value.code == 2 and "--every 0: expected 1 or more" in capsys.readouterr().err


def test_only_images_with_a_large_object_are_timed_and_counted(tmp_path):
    root = write_click_sets(tmp_path, coco=2, ccp=1)
    folder = root / "static" / "coco_objects"
    write_picture(folder / "JPEGImages", folder / "Annotations", "00000", bright_disc()[0], np.zeros((48, 64)))
    results, times = benchmark.measure(Namespace(data=root, head=None, methods=["head"], every=1))
    assert len(results["head", "clicks", "coco"]) == 1 and len(times) == 2
