"""Masks whose colours and indices, or whose greys, can be read in two ways."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from mask_folders import MaskFolders, square
from PIL import Image
from vos_benchmark import ScoringError, score
from vos_benchmark.command import main

BLACK, RED, GREEN, BLUE = (0, 0, 0), (128, 0, 0), (0, 128, 0), (0, 0, 128)
LABELS = np.maximum(square(5, 5), square(25, 40, id=2))


def save(path: Path, labels: np.ndarray, palette: list[tuple[int, int, int]]) -> None:
    image = Image.fromarray(labels.astype(np.uint8))
    image.putpalette([value for colour in palette for value in colour])
    image.save(path)


def recolour(folder: Path, palette: list[tuple[int, int, int]], new_ids=(0, 1, 2), frames=range(6)) -> None:
    for frame in frames:
        save(folder / f"{frame:05}.png", np.array(new_ids)[LABELS], palette)


@pytest.fixture
def masks(tmp_path: Path) -> MaskFolders:
    """A video of six frames with objects 1, red, and 2, green."""
    folders = MaskFolders(tmp_path)
    folders.add("video", [LABELS] * 6)
    for folder in (folders.truth, folders.prediction):
        recolour(folder / "video", [BLACK, RED, GREEN])
    return folders


def problems_of(folders: MaskFolders) -> list[str]:
    with pytest.raises(ScoringError) as caught:
        score(folders.truth, folders.prediction)
    return caught.value.problems


def test_colours_under_other_indices_are_refused_with_both_files(masks):
    recolour(masks.prediction / "video", [BLACK, GREEN, RED], new_ids=(0, 2, 1), frames=[2, 3])
    (problem,) = problems_of(masks)
    assert problem.startswith(
        f"{masks.prediction / 'video' / '00002.png'}: the colour (0, 128, 0) is index 1, but 2 in "
    )
    assert str(masks.truth / "video" / "00000.png") in problem
    assert "store ids as indices of one palette for all masks" in problem
    assert "--palettes ignore" in problem
    assert score(masks.truth, masks.prediction, palettes="ignore").objects[0].J_per_frame == (1, 0, 0, 1)


def test_true_masks_that_contradict_each_other_are_refused(masks):
    recolour(masks.truth / "video", [BLACK, GREEN, RED], new_ids=(0, 2, 1), frames=[5])  # not even a scored frame
    (problem,) = problems_of(masks)
    assert problem.startswith(str(masks.truth / "video" / "00005.png"))


@pytest.mark.parametrize("side", ["truth", "prediction"])
def test_background_that_is_not_index_0_is_refused(masks, side):
    folder = getattr(masks, side) / "video"
    recolour(folder, [GREEN, RED, BLACK], new_ids=(2, 1, 0), frames=[3])
    (problem,) = problems_of(masks)
    assert problem.startswith(f"{folder / '00003.png'}: black is index 2 of its palette and (0, 128, 0) is index 0")
    assert "black background at index 0" in problem


def test_palettes_that_have_nothing_to_do_with_each_other_are_fine(masks):
    recolour(masks.prediction / "video", [BLACK, BLUE, (5, 6, 7)])
    assert score(masks.truth, masks.prediction).J_and_F == 1


def test_colours_that_a_palette_repeats_tell_nothing(masks):
    recolour(masks.prediction / "video", [BLACK, GREEN, GREEN, BLACK])
    assert score(masks.truth, masks.prediction).J_and_F == 1


def test_background_of_another_colour_is_fine_where_nothing_is_black(masks):
    for folder in (masks.truth, masks.prediction):
        recolour(folder / "video", [BLUE, RED, GREEN, BLACK])
    assert score(masks.truth, masks.prediction).J_and_F == 1


def test_command_takes_indices_as_they_are_when_told_to(masks, capsys):
    recolour(masks.prediction / "video", [BLACK, GREEN, RED])
    options = ["-g", str(masks.truth), "-m", str(masks.prediction), "-n", "1"]
    assert main(options) == 1
    assert "the colour (0, 128, 0) is index 1, but 2 in " in capsys.readouterr().err
    assert main([*options, "--palettes", "ignore"]) == 0
    with pytest.raises(ScoringError, match="palettes='guess': expected one of check, ignore"):
        score(masks.truth, masks.prediction, palettes="guess")


def test_dithered_masks_are_refused(masks):
    chequered = 5 + np.indices(LABELS.shape).sum(axis=0) % 2  # two indices in turn imitate a colour
    for frame in (1, 3):
        labels = np.where(LABELS == 1, chequered, LABELS)
        save(masks.prediction / "video" / f"{frame:05}.png", labels, [BLACK, RED, GREEN, *[BLUE] * 4])
    problems = problems_of(masks)
    assert len(problems) == 2
    assert problems[0].startswith(
        f"{masks.prediction / 'video' / '00001.png'}: most pixels of some ids have no neighbour"
    )
    assert "(5, 6, which the truth never has)" in problems[0]


def test_specks_of_an_unknown_id_are_reported_but_not_refused(masks):
    labels = LABELS.copy()
    labels[::20, ::25] = 5  # nine pixels
    save(masks.prediction / "video" / "00003.png", labels, [BLACK, RED, GREEN, *[BLUE] * 4])
    assert score(masks.truth, masks.prediction).notes == ("video: predicted ids that the truth never has: 5",)


def save_two_bit_grey(path: Path, labels: np.ndarray) -> None:
    """Four pixels to a byte; Pillow does not write such files."""
    height, width = labels.shape
    packed = (labels.reshape(height, -1, 4) << np.array([6, 4, 2, 0])).sum(axis=2).astype(np.uint8)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 2, 0, 0, 0, 0))]
    chunks += [(b"IDAT", zlib.compress(np.insert(packed, 0, 0, axis=1).tobytes())), (b"IEND", b"")]
    parts = [struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def test_few_bit_white_is_object_1_of_a_truth_with_palette(masks):
    for frame in range(6):
        save(masks.truth / "video" / f"{frame:05}.png", LABELS == 1, [BLACK, RED])
        save_two_bit_grey(masks.prediction / "video" / f"{frame:05}.png", 3 * (LABELS == 1))
    assert score(masks.truth, masks.prediction).J_and_F == 1


@pytest.mark.parametrize("side", ["truth", "prediction"])
def test_few_bit_white_next_to_ids_is_refused_with_both_files(masks, side):
    folder = getattr(masks, side) / "video"
    save_two_bit_grey(folder / "00003.png", 3 * (LABELS == 1))
    (problem,) = problems_of(masks)
    assert problem.startswith(f"{folder / '00003.png'}: few-bit grey with only 0 and its highest value")
    assert f"{folder / ('00000' if side == 'truth' else '00001')}.png has id 2" in problem


@pytest.mark.parametrize(("kind", "white"), [(np.uint8, 255), (np.uint16, 65_535)])
@pytest.mark.parametrize("side", ["truth", "prediction"])
def test_one_object_under_two_numbers_is_refused(tmp_path, kind, white, side):
    folders = MaskFolders(tmp_path)
    folders.add("video", [square(5, 5)] * 5)
    for path in (getattr(folders, side) / "video").iterdir():
        Image.fromarray(square(5, 5).astype(kind) * kind(white)).save(path)
    (problem,) = problems_of(folders)
    assert f"the only id of the {side} is {white}, white" in problem
    assert "store both in the same way" in problem
