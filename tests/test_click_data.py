"""The pictures that the head for clicks learns from: which are kept out, what a crop is, and where is clicked."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from click_sets import bright_disc, write_click_sets, write_picture
from PIL import Image

from livos.clicks.head import INSIDE, OUTSIDE
from livos.clicks.simulation import next_click
from livos.masks.label_maps import LabelCoding, write_labels
from livos.training import click_data
from livos.training.click_data import SHARES, Picture, click_pictures, random_crop, split

RED, GREEN = (230, 30, 30), (30, 230, 30)


def only(picture: Picture) -> dict[str, list[Picture]]:
    """Sets that all have this one picture."""
    return {name: [picture] for name in SHARES}


def picture_of(folder, image: np.ndarray, labels: np.ndarray) -> Picture:
    write_picture(folder, folder, "picture", image, labels)
    return Picture(folder / "picture.jpg", folder / "picture.png")


# Which pictures there are


def test_all_pictures_with_masks_are_found_by_set_in_their_order(tmp_path):
    root = write_click_sets(tmp_path, coco=3, ccp=2)
    (root / "static/coco_objects/Annotations/00001.png").unlink()
    found = click_pictures(root)
    assert {name: [picture.image_path.stem for picture in pictures] for name, pictures in found.items()} == {
        "coco": ["00000", "00002"],
        "ecssd": ["0001"],
        "ccp": ["00000", "00001"],
        "davis": ["00000", "00001"],
        "extra": ["00000", "00001"],
    }
    assert all(picture.mask_path.is_file() for pictures in found.values() for picture in pictures)
    assert found.keys() == SHARES.keys() and sum(SHARES.values()) == pytest.approx(1)


@pytest.mark.parametrize("masks", ["static/ccp/Annotations", "DAVIS/2016/Annotations_objects"])
def test_a_set_whose_masks_are_missing_is_named(tmp_path, masks):
    root = write_click_sets(tmp_path)
    shutil.rmtree(root / masks)
    with pytest.raises(FileNotFoundError, match=r"no pictures with masks of the set (ccp|davis)$"):
        click_pictures(root)


def numbered(count: int) -> list[Picture]:
    return [Picture(f"{number}.jpg", f"{number}.png") for number in range(count)]


def test_no_picture_is_both_trained_on_and_tested_with():
    pictures = {name: numbered(250) for name in SHARES}
    training, kept = split(pictures)
    assert kept.keys() == {"coco", "ccp"} and training.keys() == pictures.keys()
    for name in SHARES:
        tested = set(kept.get(name, []))
        assert len(tested) == (100 if name in kept else 0)
        assert tested.isdisjoint(training[name])
        assert tested.union(training[name]) == set(pictures[name])


def test_the_same_pictures_are_kept_out_each_time():
    pictures = {"coco": numbered(1076), "ccp": numbered(1003)}
    first, again = split(pictures)[1], split(pictures)[1]
    assert first == again
    numbers = {name: [int(picture.image_path[:-4]) for picture in kept] for name, kept in first.items()}
    assert numbers["coco"][:5] == [13, 18, 32, 37, 59], "the model card's numbers are of these"
    assert numbers["ccp"][:5] == [0, 13, 37, 61, 78]


def test_large_objects_are_tested_with_and_each_of_them_comes():
    labels = np.zeros((100, 100), np.int32)
    labels[:10, :10], labels[20:40, 20:40], labels[90, :99] = 1, 2, 3  # 1 %, 4 % and less than 1 %
    chosen = [click_data.tested_object(labels, np.random.default_rng(seed)) for seed in range(20)]
    assert {int(mask.sum()) for mask in chosen} == {100, 400}
    assert all(np.array_equal(mask, labels == labels[mask][0]) for mask in chosen)
    assert click_data.tested_object(labels * (labels == 3), np.random.default_rng(0)) is None
    assert click_data.tested_object(np.zeros((9, 9), np.int32), np.random.default_rng(0)) is None


# How a picture is read


def test_a_picture_keeps_labels_above_255(tmp_path):
    labels = np.zeros((8, 8), np.int32)
    labels[:4], labels[6:] = 256, 257
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.jpg")
    write_labels(tmp_path / "a.png", labels, LabelCoding("rgb_ids"))
    assert np.array_equal(Picture(tmp_path / "a.jpg", tmp_path / "a.png").read()[1], labels)


def test_soft_edges_of_a_black_and_white_mask_are_cut_in_their_middle(tmp_path):
    image, _ = bright_disc()
    grey = np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))
    picture = picture_of(tmp_path, image, grey)
    _, labels = Picture(picture.image_path, picture.mask_path, binary=True).read()
    assert np.array_equal(labels, grey >= 128)


def test_a_mask_of_another_size_than_its_image_is_named(tmp_path):
    picture = picture_of(tmp_path, bright_disc()[0], np.ones((48, 32)))
    with pytest.raises(ValueError, match=r"picture\.png has 32 x 48 pixels.*picture\.jpg has 64 x 48"):
        picture.read()


# Crops


@pytest.mark.parametrize("size", [32, 80])
def test_a_crop_shows_the_object_where_its_mask_is(tmp_path, monkeypatch, size):
    monkeypatch.setattr(click_data, "_recoloured", lambda image, generator: image)
    pictures = only(picture_of(tmp_path, *bright_disc(3)))
    masks = []
    for seed in range(40):
        image, mask = random_crop(pictures, size, np.random.default_rng(seed))
        assert image.shape == (size, size, 3) and image.dtype == np.uint8
        assert mask.shape == (size, size) and mask.dtype == bool
        assert 0.0015 <= mask.mean() <= 0.9
        reddish = image[..., 0].astype(int) - image[..., 2] > 90
        assert np.mean(reddish == mask) > 0.95
        masks.append(mask)
    assert len({mask.tobytes() for mask in masks}) == 40, "each crop is another"


def test_most_crops_change_in_colour_and_no_mask_does(tmp_path, monkeypatch):
    pictures = only(picture_of(tmp_path, *bright_disc(3)))
    changed = [random_crop(pictures, 32, np.random.default_rng(seed)) for seed in range(40)]
    monkeypatch.setattr(click_data, "_recoloured", lambda image, generator: image)
    plain = [random_crop(pictures, 32, np.random.default_rng(seed)) for seed in range(40)]
    assert all(np.array_equal(one[1], other[1]) for one, other in zip(changed, plain, strict=True))
    assert 20 < sum(not np.array_equal(one[0], other[0]) for one, other in zip(changed, plain, strict=True)) < 40
    assert all(image.dtype == np.uint8 and image.shape == (32, 32, 3) for image, _ in changed)


def test_the_same_generator_gives_the_same_crop(tmp_path):
    pictures = only(picture_of(tmp_path, *bright_disc(3)))
    one, again, other = (random_crop(pictures, 32, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(one[0], again[0]) and np.array_equal(one[1], again[1])
    assert not np.array_equal(one[0], other[0])


def test_a_mask_of_a_crop_has_one_object_and_each_gets_its_turn(tmp_path, monkeypatch):
    image, labels = np.zeros((60, 60, 3), np.uint8), np.zeros((60, 60), np.uint8)
    for object_id, (colour, columns) in enumerate([(RED, slice(4, 28)), (GREEN, slice(32, 56))], start=1):
        image[10:50, columns], labels[10:50, columns] = colour, object_id
    monkeypatch.setattr(click_data, "_recoloured", lambda image, generator: image)
    pictures, colours = only(picture_of(tmp_path, image, labels)), set()
    for seed in range(20):
        image, mask = random_crop(pictures, 64, np.random.default_rng(seed))
        red, green = (image[..., channel] > 128 for channel in (0, 1))
        both = red & green  # the grey beyond the picture's border
        colour = "red" if (red & mask).sum() > (green & mask).sum() else "green"
        colours.add(colour)
        shown = (red if colour == "red" else green) & ~both
        assert (shown & mask).sum() > 0.9 * mask.sum()
        assert (shown & ~mask).sum() < 0.1 * mask.sum()
    assert colours == {"red", "green"}


def test_every_set_is_drawn_from_as_often_as_its_share(tmp_path, monkeypatch):
    image, mask = bright_disc()
    drawn = []
    pictures = {name: [Picture(name, name)] for name in SHARES}
    monkeypatch.setattr(Picture, "read", lambda self: drawn.append(self.image_path) or (image, mask.astype(np.int32)))
    generator = np.random.default_rng(0)
    for _ in range(600):
        random_crop(pictures, 16, generator)
    for name, share in SHARES.items():
        assert drawn.count(name) / len(drawn) == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("labels", [np.zeros((48, 64)), np.ones((48, 64)) * (np.arange(64) == 0)])
def test_pictures_without_objects_to_train_on_end_in_an_error_and_not_in_a_hang(tmp_path, monkeypatch, labels):
    monkeypatch.setattr(click_data, "MOST_TRIES", 10)
    monkeypatch.setattr(click_data, "SMALLEST", 0.5)
    pictures = only(picture_of(tmp_path, bright_disc()[0], labels))
    with pytest.raises(ValueError, match="none of 10 crops"):
        random_crop(pictures, 32, np.random.default_rng(0))


# Clicks


def distances(area: np.ndarray) -> np.ndarray:
    """How far each pixel of an area (H, W) is from the nearest one outside of it or of the picture, slowly."""
    outside = np.argwhere(~np.pad(area, 1))
    depth = np.zeros(area.shape)
    for row, column in np.argwhere(area):
        depth[row, column] = np.sqrt(((outside - 1 - [row, column]) ** 2).sum(1).min())
    return depth


def blobs(seed: int) -> np.ndarray:
    """Some rectangles, (20, 26) bool."""
    generator = np.random.default_rng(seed)
    mask = np.zeros((20, 26), bool)
    for top, left, height, width in generator.integers((0, 0, 3, 3), (16, 22, 12, 12), (3, 4)):
        mask[top : top + height, left : left + width] = True
    return mask


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("random", [False, True])
def test_the_next_click_is_deep_in_the_deepest_error_and_labelled_by_its_kind(seed, random):
    truth, answer = blobs(seed), blobs(seed + 100)
    missing, surplus = distances(truth & ~answer), distances(answer & ~truth)
    x, y, label = next_click(truth, answer, np.random.default_rng(seed) if random else None)
    assert x % 1 == y % 1 == 0.5, "the centre of a pixel"
    row, column = int(y), int(x)
    depth, other = (missing, surplus) if label == INSIDE else (surplus, missing)
    assert truth[row, column] == (label == INSIDE) and answer[row, column] == (label == OUTSIDE)
    assert depth.max() > other.max() * 0.95  # OpenCV's distances are good to a few per cent
    assert depth[row, column] >= depth.max() * 0.95 * (0.5 if random else 1)


def test_random_clicks_are_not_all_on_one_pixel():
    truth = np.zeros((30, 30), bool)
    truth[5:25, 5:25] = True
    nothing = np.zeros_like(truth)
    places = {next_click(truth, nothing, np.random.default_rng(seed))[:2] for seed in range(30)}
    assert len(places) > 10
    assert next_click(truth, nothing) == next_click(truth, nothing)


def test_the_pictures_edge_bounds_an_error():
    everything = np.ones((21, 21), bool)
    assert next_click(everything, ~everything) == (10.5, 10.5, INSIDE)
    assert next_click(~everything, everything) == (10.5, 10.5, OUTSIDE)


def test_a_true_mask_needs_no_click():
    truth = blobs(0)
    assert next_click(truth, truth) is None
    assert next_click(truth, truth, np.random.default_rng(0)) is None
    assert next_click(np.zeros_like(truth), np.zeros_like(truth)) is None
