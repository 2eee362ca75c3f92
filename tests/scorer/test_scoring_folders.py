"""Problems with folders of masks are reported by name before there are any scores, or do not matter."""

import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from mask_folders import MaskFolders, square, write_mask
from PIL import Image
from vos_benchmark import Result, ScoringError, score


def scores_of(folders: MaskFolders, **options) -> Result:
    return score(folders.truth, folders.prediction, **options)


def problems_of(folders: MaskFolders, **options) -> list[str]:
    with pytest.raises(ScoringError) as caught:
        scores_of(folders, **options)
    return caught.value.problems


def save_all(folder: Path, convert) -> None:
    for path in folder.glob("*.png"):
        convert(Image.open(path)).save(path)


def test_perfect_prediction_scores_100(folders):
    result = scores_of(folders)
    assert set(result.measures.values()) == {1.0, 0.0}  # no decay
    assert result.J_and_F == 1.0
    assert result.notes == ()


def test_missing_masks_are_an_error_that_names_them(folders):
    for frame in ("00002", "00004"):
        (folders.prediction / "one" / f"{frame}.png").unlink()
    (problem,) = problems_of(folders)
    assert problem == f"{folders.prediction / 'one'}: 2 of 4 masks are missing: 00002, 00004"


def test_missing_masks_can_be_scored_as_empty(folders):
    (folders.prediction / "one" / "00002.png").unlink()
    result = scores_of(folders, missing="empty")
    assert result.videos[0].objects[0].J_per_frame == (1, 0, 1, 1)
    assert result.videos[0].objects[0].F_per_frame == (1, 0, 1, 1)
    assert "00002; scored as empty" in result.notes[0]


def test_first_and_last_frame_need_no_prediction_unless_they_are_scored(folders):
    for frame in ("00000", "00005"):
        (folders.prediction / "one" / f"{frame}.png").unlink()
    assert scores_of(folders).J == 1
    assert "2 of 6 masks are missing: 00000, 00005" in problems_of(folders, all_frames=True)[0]


def test_first_and_last_frame_count_when_asked(folders):
    write_mask(folders.prediction / "one" / "00000.png", square(30, 40))
    assert scores_of(folders).J == 1
    assert scores_of(folders, all_frames=True).videos[0].objects[0].J_per_frame == (0, 1, 1, 1, 1, 1)


def test_masks_named_otherwise_are_hinted_at(folders):
    for path in (folders.prediction / "one").iterdir():
        path.rename(path.with_name(f"{int(path.stem)}.png"))
    assert "(it has others, such as 0)" in problems_of(folders)[0]


def test_videos_missing_are_left_out_and_counted(folders):
    shutil.rmtree(folders.prediction / "two")
    result = scores_of(folders)
    assert [video.name for video in result.videos] == ["one"]
    assert (result.videos_in_truth, result.is_partial) == (2, True)
    assert result.notes == ("1 of 2 videos are missing in the prediction: two",)


@pytest.mark.parametrize("side", ["truth", "prediction"])
def test_strict_demands_the_same_videos(folders, side):
    shutil.rmtree(getattr(folders, side) / "two")
    assert "two" in problems_of(folders, strict=True)[0]


def test_no_video_in_common_is_an_error(folders):
    for name in ("one", "two"):
        (folders.prediction / name).rename(folders.prediction / f"{name}-again")
    assert "has none of the 2 videos of the truth, such as one" in problems_of(folders)[0]


def test_folders_that_do_not_exist_are_named(tmp_path):
    with pytest.raises(ScoringError) as caught:
        score(tmp_path / "a", tmp_path / "b")
    assert [problem.split(": ", 1)[1] for problem in caught.value.problems] == [
        "no such folder (the truth)",
        "no such folder (the prediction)",
    ]


def test_folder_of_one_video_is_recognised(folders):
    with pytest.raises(ScoringError, match="contains masks itself; use the folder above it"):
        score(folders.truth / "one", folders.prediction / "one")


def test_scoring_the_truth_against_itself_is_refused(folders, tmp_path):
    with pytest.raises(ScoringError, match="prediction and truth are the same folder"):
        score(folders.truth, folders.truth / ".." / "truth")
    shutil.rmtree(folders.prediction / "one")
    (folders.prediction / "one").symlink_to(folders.truth / "one")
    assert "same folder" in problems_of(folders)[0]


def test_sizes_that_differ_are_named_for_each_file(folders):
    for frame in ("00001", "00003"):
        write_mask(folders.prediction / "two" / f"{frame}.png", square(2, 2, shape=(24, 32)))
    problems = problems_of(folders)
    assert problems == [
        f"{folders.prediction / 'two' / frame}.png: is 32 x 24, but its truth is 64 x 48"
        for frame in ("00001", "00003")
    ]


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def with_wrong_pixels(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 12] ^= 0xFF
    path.write_bytes(data)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def turned_into_jpeg(path: Path) -> None:
    Image.fromarray(square(2, 2)).save(path, format="jpeg")


@pytest.mark.parametrize("spoil", [truncated, with_wrong_pixels, emptied, turned_into_jpeg])
@pytest.mark.parametrize("processes", [1, 2])
def test_every_unreadable_file_is_named(folders, spoil, processes):
    broken = [folders.prediction / "one" / "00001.png", folders.truth / "two" / "00003.png"]
    for path in broken:
        spoil(path)
    problems = problems_of(folders, processes=processes)
    assert len(problems) == 2
    assert all(problem.startswith(str(path)) for problem, path in zip(problems, broken, strict=True))


def test_predicted_ids_that_truth_never_has_are_reported(folders):
    write_mask(folders.prediction / "one" / "00003.png", np.maximum(square(13, 20), square(30, 40, id=7)))
    assert scores_of(folders).notes == ("one: predicted ids that the truth never has: 7",)


def test_ids_that_truth_has_on_other_frames_are_not_reported(folders):
    write_mask(folders.truth / "one" / "00000.png", square(30, 40, id=7))
    write_mask(folders.prediction / "one" / "00003.png", np.maximum(square(13, 20), square(30, 40, id=7)))
    assert scores_of(folders).notes == ()


@pytest.mark.parametrize("method", [Image.Resampling.BILINEAR, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("side", ["truth", "prediction"])
def test_antialiased_masks_are_refused_by_name(folders, side, method):
    def blurred(image: Image.Image) -> Image.Image:
        image = Image.fromarray(np.uint8(np.array(image) * 120))
        return image.resize((23, 17), method).resize((64, 48), method)

    save_all(getattr(folders, side) / "one", blurred)
    problems = problems_of(folders)
    assert len(problems) == 4
    assert all("antialiased" in problem and str(folders.prediction.parent / side) in problem for problem in problems)


def test_ids_coded_as_colours_are_read_as_ids(folders):
    for folder in (folders.truth, folders.prediction):
        for path in (folder / "two").iterdir():
            ids = np.array([0, 1, 300], np.int64)[np.array(Image.open(path))]  # 300 = 44 + 256 * 1
            Image.fromarray(np.stack([ids % 256, ids // 256, 0 * ids], axis=2).astype(np.uint8)).save(path)
    result = scores_of(folders)
    assert [item.id for item in result.videos[1].objects] == [1, 300]
    assert result.J_and_F == 1


@pytest.mark.parametrize("convert", ["palette", "grey", "rgba", "16 bits", "1 bit"])
def test_any_lossless_coding_of_the_ids_scores_the_same(folders, convert):
    def recoded(image: Image.Image) -> Image.Image:
        ids = Image.fromarray(np.array(image))
        grey = np.array(ids)
        return {
            "palette": lambda: image.convert("RGB"),
            "grey": lambda: Image.merge("RGB", [ids] * 3),
            "rgba": lambda: image.convert("RGBA"),
            "16 bits": lambda: Image.fromarray(grey.astype(np.uint16)),
            "1 bit": lambda: Image.fromarray(grey > 0),
        }[convert]()

    for name in ("one",) if convert == "1 bit" else ("one", "two"):
        save_all(folders.prediction / name, recoded)
    assert scores_of(folders).J_and_F == 1


def test_rgb_masks_that_mean_nothing_are_refused_by_name(folders):
    def coloured(image: Image.Image) -> Image.Image:
        colours = np.array([[0, 0, 0], [210, 30, 90], [3, 200, 10]], np.uint8)
        return Image.fromarray(colours[np.array(image)])

    save_all(folders.prediction / "one", coloured)
    problems = problems_of(folders)
    assert len(problems) == 4
    assert "an RGB mask whose colours are neither ids of the truth" in problems[0]
    assert str(folders.prediction / "one" / "00001.png") in problems[0]


def test_transparent_masks_are_refused_by_name(folders):
    def faded(image: Image.Image) -> Image.Image:
        image = image.convert("RGBA")
        image.putalpha(128)
        return image

    save_all(folders.prediction / "one", faded)
    assert all("partly transparent" in problem for problem in problems_of(folders))


def test_colours_of_16_bits_are_refused(folders):
    header = struct.pack(">IIBBBBB", 64, 48, 16, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    (folders.prediction / "one" / "00001.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    assert "has 16 bits per colour channel" in problems_of(folders)[0]


def test_frames_are_ordered_by_number(tmp_path):
    folders = MaskFolders(tmp_path)
    folders.add("video", [square(10, 20)] * 12)
    for folder in (folders.truth, folders.prediction):
        for path in (folder / "video").iterdir():
            path.rename(path.with_name(f"{int(path.stem)}.png"))
    assert scores_of(folders).videos[0].frames == tuple(str(number) for number in range(1, 11))


def rename_frames(folder: Path, name) -> None:
    """Names the masks 00000.png, 00001.png… of a video by their number."""
    for path in sorted(folder.iterdir(), reverse=True):
        path.rename(path.with_name(name(int(path.stem)) + ".png"))


def test_numbers_in_names_order_frames_by_value(tmp_path):
    folders = MaskFolders(tmp_path)
    folders.add("video", [square(10, 20)] * 12, [square(10, 20)] * 11 + [square(30, 40)])  # the last frame is wrong
    for folder in (folders.truth, folders.prediction):
        rename_frames(folder / "video", lambda number: f"frame{number + 1}")
    result = scores_of(folders)
    assert result.videos[0].frames == tuple(f"frame{number}" for number in range(2, 12))
    assert result.J_and_F == 1


@pytest.mark.parametrize("name", ["{}", "{:05}", "frame{}", "{}_mask", "shot2_{:03}_gt"])
@pytest.mark.parametrize(("shift", "place", "missing", "surplus"), [(1, "first", 0, 6), (-1, "last", 15, 9)])
def test_prediction_counted_from_another_number_is_an_error(folders, name, shift, place, missing, surplus):
    start = 0 if shift == 1 else 10
    rename_frames(folders.truth / "one", lambda number: name.format(number + start))
    rename_frames(folders.prediction / "one", lambda number: name.format(number + start + shift))
    for options in ({}, {"all_frames": True}, {"missing": "empty"}):
        (problem,) = problems_of(folders, **options)
        missing_name, surplus_name = name.format(missing), name.format(surplus)
        assert f"the {place} frame, {missing_name}, is missing and {surplus_name} is one too many" in problem
        assert f"counted from {start + shift} instead of {start}?" in problem
        assert str(folders.prediction / "one") in problem


def test_one_frame_more_and_one_frame_less_elsewhere_keep_the_count(folders):
    (folders.prediction / "one" / "00000.png").unlink()  # given, so not written
    write_mask(folders.prediction / "one" / "00009.png", square(2, 2))
    assert scores_of(folders).notes == ("1 predicted masks have no true mask and were not scored",)


def test_hidden_files_and_other_folders_are_not_videos(folders):
    for hidden in (".cache", ".ipynb_checkpoints"):
        for folder in (folders.truth, folders.prediction / "one"):
            (folder / hidden).mkdir()
            write_mask(folder / hidden / "00000.png", square(2, 2))
    (folders.truth / "one" / ".00003.png").write_bytes(b"")
    (folders.prediction / "results.csv").write_text("old")
    assert scores_of(folders).notes == ()


def test_masks_without_truth_are_left_out_and_counted(folders):
    for frame in ("00001", "00003"):
        (folders.truth / "one" / f"{frame}.png").unlink()
    result = scores_of(folders)
    assert result.videos[0].frames == ("00002", "00004")
    assert result.notes == ("2 predicted masks have no true mask and were not scored",)


def test_video_of_two_frames_is_reported_to_have_nothing_to_score(tmp_path, folders):
    for folder in (folders.truth, folders.prediction):
        for frame in ("00002", "00003", "00004", "00005"):
            (folder / "one" / f"{frame}.png").unlink()
    result = scores_of(folders)
    assert result.notes[0] == "one: has 2 frames, all of them first or last; nothing was scored (-d would)"
    assert [item.video for item in result.objects] == ["two", "two"]


def test_videos_of_two_frames_only_are_an_error_that_names_the_option(tmp_path):
    folders = MaskFolders(tmp_path)
    folders.add("video", [square(2, 2)] * 2)
    assert problems_of(folders) == [
        "nothing to score: all frames are the first or last of their video; -d (all_frames=True) scores them"
    ]
    assert scores_of(folders, all_frames=True).J_and_F == 1


def test_truth_without_objects_is_an_error(tmp_path):
    folders = MaskFolders(tmp_path)
    folders.add("video", [square(2, 2, size=0)] * 5)
    assert "nothing to score" in problems_of(folders)[0]
