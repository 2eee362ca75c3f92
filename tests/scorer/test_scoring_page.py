"""The page that shows a result."""

import base64
import io
import re
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from mask_folders import square
from PIL import Image
from vos_benchmark import Scorer, score
from vos_benchmark.command import main
from vos_benchmark.html_report import html_page
from vos_benchmark.pictures import COLOURS

VOID_ELEMENTS = {"meta", "input", "img"}


class Page(HTMLParser):
    """What is on a page, and whether its elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag: str, **attributes: str) -> list[dict]:
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]


@pytest.fixture
def result(folders):
    folders.spoil("two", 2, square(5, 13))  # object 1 moved, object 2 lost for good
    folders.spoil("two", 3, square(5, 8))
    folders.spoil("two", 4, square(5, 9))
    return score(folders.truth, folders.prediction)


def test_page_is_well_formed_and_needs_nothing_else(result):
    text = html_page(result)
    page = Page(text)
    assert page.open == []
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_page_has_a_row_and_a_chart_for_every_object(result):
    page = Page(html_page(result))
    charts = [found["id"] for found in page.all("div", **{"class": "chart"})]
    assert charts == ["object-one-1", "object-two-1", "object-two-2"]
    assert [found["data-chart"] for found in page.all("tr") if "data-chart" in found] == charts
    scores = [float(found["data-value"]) for found in page.all("td", **{"class": "score"})]
    assert scores == pytest.approx([100 * item.measures["J&F"] for item in result.objects], abs=1e-5)
    assert len(page.all("rect", **{"class": "lost"})) == 1


def pictures_of(text: str) -> list[np.ndarray]:
    addresses = re.findall(r"data:image/(?:png|jpeg);base64,([^\"]+)", text)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")) for data in addresses]


def share_of(picture: np.ndarray, name: str) -> float:
    return float((np.abs(picture.astype(int) - COLOURS[name]).max(axis=2) < 25).mean())


def test_worst_frames_show_truth_prediction_and_errors(result):
    text = html_page(result)
    assert "two, object 2, frame 00002<span>J 0.00, F 0.00</span>" in text
    truth, prediction, errors = pictures_of(text)[:3]
    assert share_of(truth, "mask") > 0.05
    assert share_of(prediction, "mask") == 0
    assert share_of(errors, "missed") == pytest.approx(share_of(truth, "mask"), abs=0.01)
    assert share_of(errors, "false") == 0


def test_worst_frames_lie_over_the_video(result, folders, tmp_path):
    (tmp_path / "images" / "two").mkdir(parents=True)
    frame = np.full((96, 128, 3), (200, 180, 20), np.uint8)  # twice the size of the masks
    Image.fromarray(frame).save(tmp_path / "images" / "two" / "00002.jpg", quality=95)
    text = html_page(result, tmp_path / "images")
    prediction = pictures_of(text)[1]
    assert (np.abs(prediction.astype(int) - (200, 180, 20)).max(axis=2) < 25).mean() > 0.9
    assert "of these video frames" not in text
    (tmp_path / "images" / "two" / "00002.jpg").unlink()
    assert f"2 of these video frames are not in {tmp_path / 'images'}" in html_page(result, tmp_path / "images")


@pytest.mark.parametrize("kind", ["eps", "cut", "huge"])
def test_video_frames_that_cannot_be_read_are_named_and_start_no_program(result, folders, tmp_path, kind, monkeypatch):
    path = tmp_path / "images" / "two" / "00002.jpg"
    path.parent.mkdir(parents=True)
    image = Image.fromarray(np.zeros((96, 128, 3), np.uint8))
    image.save(path, format="eps" if kind == "eps" else "jpeg")
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:-300])
    if kind == "huge":
        result.settings["max_pixels"] = 96 * 128 - 1

    def started(*arguments, **options):
        raise AssertionError(f"a program was started: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", started)
    text = html_page(result, tmp_path / "images")
    assert f"1 cannot be read, such as {path}: " in text
    assert len(pictures_of(text)) == 6


def test_perfect_result_has_no_worst_frames(folders):
    assert "Worst frames" not in html_page(score(folders.truth, folders.prediction))


def test_page_of_a_scorer_has_no_pictures():
    scorer = Scorer(all_frames=True)
    scorer.add("video", 0, square(5, 5), square(9, 9))
    text = html_page(scorer.result())
    assert "object-video-1" in text
    assert pictures_of(text) == []


def test_names_cannot_break_the_page():
    scorer = Scorer(all_frames=True)
    scorer.add("<script>alert(1)</script>", "</script><b>", square(5, 5), square(9, 9))
    text = html_page(scorer.result())
    assert "<script>alert" not in text
    assert "</script><b>" not in text
    assert Page(text).open == []


def test_command_writes_the_page(folders, tmp_path, capsys):
    arguments = ["-g", str(folders.truth), "-m", str(folders.prediction), "-n", "1"]
    assert main([*arguments, "--html", str(tmp_path / "page.html")]) == 0
    assert "Scores of" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert main([*arguments, "--html", str(tmp_path / "page.html"), "--images", str(tmp_path / "no")]) == 1
    assert "no such folder (the video frames)" in capsys.readouterr().err
