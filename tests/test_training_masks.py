"""Training reads masks by the rules of docs/masks.md, and refuses ambiguous ones with the file's name."""

import numpy as np
import pytest
from PIL import Image
from tiny_sets import labels_with, write_mask
from training_data import moving_squares, tiny_settings, write_images, write_videos

from livos.training.data.loaders import ClipDataset, open_sets
from livos.training.data.sampling import generator_for
from livos.training.data.training_files import read_mask, refuse_two_meanings

WHITE = labels_with(255).astype(np.uint8)


def test_black_and_white_is_object_1_in_every_coding(tmp_path):
    Image.fromarray(WHITE).save(tmp_path / "grey.png")
    Image.fromarray(WHITE.astype(np.uint16) * 257).save(tmp_path / "grey16.png")
    Image.fromarray(np.dstack([WHITE] * 3)).save(tmp_path / "rgb.png")
    Image.fromarray(WHITE > 0).save(tmp_path / "bilevel.png")
    for path in tmp_path.iterdir():
        mask = read_mask(path, binary=False)
        assert mask.black_and_white and mask.labels.dtype == np.uint8
        np.testing.assert_array_equal(mask.labels, WHITE > 0)


def test_255_is_void_among_ids_and_in_a_palette(tmp_path):
    beside = write_mask(tmp_path / "beside.png", labels_with(1, 255), "grey")
    alone = write_mask(tmp_path / "alone.png", labels_with(255))
    np.testing.assert_array_equal(read_mask(beside, binary=False).labels, labels_with(1))
    assert not read_mask(beside, binary=False).black_and_white
    assert not read_mask(alone, binary=False).labels.any()
    assert read_mask(alone, binary=False).black_and_white is None
    assert read_mask(alone, binary=True).labels.any()


@pytest.mark.parametrize("kind", ["colours", "rgb_ids", "grey16"])
def test_ids_in_colours_and_16_bits_are_taken_up_to_254(tmp_path, kind):
    np.testing.assert_array_equal(
        read_mask(write_mask(tmp_path / "a.png", labels_with(3, 200), kind), binary=False).labels,
        read_mask(write_mask(tmp_path / "b.png", labels_with(3, 200)), binary=False).labels,
    )
    if kind != "colours":
        with pytest.raises(ValueError, match=r"c\.png: contains the id 300; training needs ids from 1 to 254"):
            read_mask(write_mask(tmp_path / "c.png", labels_with(300), kind), binary=False)


def test_a_white_mask_beside_ids_is_refused_with_both_names(tmp_path):
    Image.fromarray(WHITE).save(tmp_path / "white.png")
    white = read_mask(tmp_path / "white.png", binary=False)
    ids = read_mask(write_mask(tmp_path / "ids.png", labels_with(1, 255), "grey"), binary=False)
    empty = read_mask(write_mask(tmp_path / "empty.png", labels_with()), binary=False)
    refuse_two_meanings([white, empty, white])
    refuse_two_meanings([ids, empty])
    with pytest.raises(ValueError, match=r"white\.png is black and white.*ids\.png of the same video has ids"):
        refuse_two_meanings([empty, white, ids])


def test_a_black_and_white_video_among_others_is_trained_on(tmp_path):
    write_videos(tmp_path, num_objects=(2, 1), num_frames=4)
    for path in (tmp_path / "videos/Annotations/video1").iterdir():
        with Image.open(path) as image:
            Image.fromarray(np.array(image) * np.uint8(255)).save(path)
    clips = ClipDataset(tiny_settings(tmp_path, merge_probability=0.0), 0, 12)
    names = {clips[index][0].name.split(":")[0] for index in range(12)}
    assert names == {"videos/video0", "videos/video1"}


def test_soft_masks_are_refused_by_name(tmp_path):
    write_videos(tmp_path, num_objects=(1,), num_frames=4)
    soft = moving_squares(1, 1)[0] * np.uint8(255)
    soft[12:26, 3], soft[12:26, 17], soft[11, 4:16], soft[26, 4:16] = 60, 61, 62, 63
    for path in (tmp_path / "videos/Annotations/video0").iterdir():
        Image.fromarray(soft).save(path)
    ((videos, _),) = open_sets(tiny_settings(tmp_path))
    with pytest.raises(ValueError, match=r"video0.\d{5}\.png: 6 distinct values.*soft"):
        videos.read_clip(0, 0.0, generator_for(0, 0))


def test_a_mask_that_is_a_jpeg_is_refused_before_training(tmp_path):
    write_videos(tmp_path, num_objects=(1,), num_frames=4)
    path = tmp_path / "videos/Annotations/video0/00002.png"
    Image.fromarray(moving_squares(1, 1)[0]).save(path, "JPEG")
    with pytest.raises(ValueError, match=r"00002\.png: a mask saved as JPEG has lost its exact values"):
        open_sets(tiny_settings(tmp_path))


def test_images_that_do_not_fit_their_masks_are_refused_before_training(tmp_path):
    write_images(tmp_path)
    Image.new("RGB", (9, 8)).save(tmp_path / "images/JPEGImages/1.png")
    (tmp_path / "images/Annotations/2.png").write_bytes(b"%!PS")
    with pytest.raises(ValueError, match=r"1\.png has 9 x 8 pixels, but its mask(?s:.*)2\.png: a PostScript program"):
        open_sets(tiny_settings(tmp_path, videos=False, images=True))
