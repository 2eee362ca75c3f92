"""The report of the demo: an overlay video and a contact sheet of one clip."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from livos.commands import demo_report as report
from livos.masks.label_maps import write_labels


@pytest.fixture
def clip(tmp_path) -> Path:
    """Seven grey frames of 90 x 61 pixels, with object 1 at the left in `masks` and `truth`."""
    for folder in ("images", "masks", "truth"):
        (tmp_path / folder).mkdir()
    for index in range(7):
        Image.fromarray(np.full((61, 90, 3), 128, np.uint8)).save(tmp_path / "images" / f"{index:05d}.jpg")
        labels = np.zeros((61, 90), np.int32)
        labels[10:50, 10:40] = 1
        write_labels(tmp_path / "masks" / f"{index:05d}.png", labels)
        write_labels(tmp_path / "truth" / f"{index:05d}.png", labels)
    return tmp_path


def arguments(clip: Path, *more: str) -> list[str]:
    return ["--images", str(clip / "images"), "--masks", str(clip / "masks"), "--output", str(clip / "report"), *more]


def test_it_writes_a_video_of_all_frames_and_a_sheet_of_some(clip):
    report.main(arguments(clip, "--rate", "30000/1001", "--frames", "4", "--columns", "2", "--width", "206"))
    assert sorted(path.name for path in (clip / "report").iterdir()) == ["contact_sheet.jpg", "overlay.mp4"]
    with av.open(str(clip / "report" / "overlay.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 7
    cell_height = round(94 * 61 / 90)
    with Image.open(clip / "report" / "contact_sheet.jpg") as sheet:
        assert sheet.size == (206, 40 + 6 + 2 * (cell_height + 6))


def test_truth_stands_above_the_prediction(clip):
    empty = np.zeros((61, 90), np.int32)
    for path in (clip / "masks").iterdir():
        write_labels(path, empty)
    report.main(arguments(clip, "--truth", str(clip / "truth"), "--frames", "2", "--columns", "2", "--width", "206"))
    with Image.open(clip / "report" / "contact_sheet.jpg") as picture:
        sheet = np.array(picture).astype(int)
    redness = (sheet[..., 0] - sheet[..., 2])[40:]
    above, below = redness[: len(redness) // 2], redness[len(redness) // 2 :]
    assert (above > 50).sum() > 500
    assert (below > 50).sum() == 0


def test_frames_are_chosen_evenly_with_both_ends():
    names = [f"{index}" for index in range(64)]
    assert report.evenly_chosen(names, 4) == ["0", "21", "42", "63"]
    assert report.evenly_chosen(names[:3], 10) == ["0", "1", "2"]


def test_the_legend_says_how_many_objects_had_no_room():
    few, many = report.legend([1, 2], "clip", 900), report.legend(list(range(1, 300)), "clip", 900)
    assert few.shape == many.shape == (40, 900, 3)
    assert (few[:, 500:] == 255).all() and (many[:, 500:] != 255).any()


def test_errors_name_the_folder_or_file(clip):
    (clip / "masks" / "00003.png").unlink()
    with pytest.raises(SystemExit, match="masks: no mask for 1 of 7 frames, the first is 00003"):
        report.main(arguments(clip))
    write_labels(clip / "masks" / "00003.png", np.zeros((60, 90), np.int32))
    with pytest.raises(SystemExit, match=r"00003\.png has 90 x 60 pixels, but its frame .*00003\.jpg has 90 x 61"):
        report.main(arguments(clip))
    with pytest.raises(SystemExit, match="nowhere"):
        report.main(arguments(clip, "--truth", str(clip / "nowhere")))
    with pytest.raises(SystemExit, match="2"):
        report.main(arguments(clip, "--columns", "0"))
