import numpy as np
import pytest
from PIL import Image
from training_data import OBJECT_COLOURS, moving_squares, tiny_settings, write_frame, write_images

from livos.config.schema import ImageSetConfig
from livos.training.data.image_sets import ImageSet, open_image_set
from livos.training.data.sampling import generator_for


def open_images(root, **changes) -> ImageSet:
    settings = tiny_settings(root, videos=False, images=True, **changes)
    image_set, problems = open_image_set("images", settings.image_sets["images"], settings)
    assert problems == []
    return image_set


def test_every_slot_has_the_pixels_of_one_object_in_all_frames(tmp_path):
    images = open_images(write_images(tmp_path))
    for index in range(9):
        clip = images.read_clip(index % 3, 0.0, generator_for(0, index))
        assert clip.images.shape == (4, 32, 32, 3) and clip.name == f"images/{index % 3}:0"
        for slot in range(1, clip.num_objects + 1):
            assert (clip.labels[0] == slot).any()
            pixels = clip.images[clip.labels == slot][:, ::-1]
            colour = np.median(pixels, axis=0)
            assert (np.abs(OBJECT_COLOURS[1:3] - colour).max(axis=1) < 40).any()
            assert (np.abs(pixels - colour).max(axis=1) < 130).mean() > 0.9


def test_frames_of_a_clip_differ(tmp_path):
    clip = open_images(write_images(tmp_path)).read_clip(0, 0.0, generator_for(0, 0))
    assert all((clip.images[0] != clip.images[t]).any() for t in range(1, 4))


def test_pairs_beside_each_other_and_in_subfolders_are_found(tmp_path):
    """As in static/: fss has a folder for each class, the others NNNN.jpg and NNNN.png side by side."""
    grey = moving_squares(1, 2)[0] * np.uint8(127)  # 127 is below the middle of a greyscale mask, 254 above
    for name in ("cat/1", "cat/2", "dog/1"):
        path = tmp_path / f"static/{name}.png"
        write_frame(path.with_suffix(".jpg"), path, grey // 127)
        Image.fromarray(grey).save(path)
    settings = tiny_settings(tmp_path)
    image_set, problems = open_image_set("static", ImageSetConfig(folder="static"), settings)
    assert problems == [] and [image.name for image in image_set.images] == ["cat/1", "cat/2", "dog/1"]
    clip = image_set.read_clip(0, 0.0, generator_for(0, 0))
    assert clip.num_objects == 1
    assert clip.images[clip.labels == 1].mean(axis=0).argmax() == 1, "the green square, at 254"


def test_images_without_objects_are_passed_over(tmp_path):
    write_images(tmp_path, count=2)
    Image.fromarray(np.zeros((40, 72), dtype=np.uint8)).save(tmp_path / "images/Annotations/0.png")
    assert open_images(tmp_path).read_clip(0, 0.0, generator_for(0, 0)).name == "images/1:0"
    Image.fromarray(np.zeros((40, 72), dtype=np.uint8)).save(tmp_path / "images/Annotations/1.png")
    with pytest.raises(ValueError, match=r"images: no object.*Annotations"):
        open_images(tmp_path).read_clip(0, 0.0, generator_for(0, 0))


def test_missing_folders_images_and_masks_are_named(tmp_path):
    settings = tiny_settings(write_images(tmp_path, count=6))
    image_set = ImageSetConfig(folder="images", images="JPEGImages", masks="Annotations")
    for k in range(1, 5):
        (tmp_path / f"images/Annotations/{k}.png").unlink()
    _, problems = open_image_set("images", image_set, settings)
    assert len(problems) == 1 and problems[0].endswith("has no masks (.png) for the images 1, 2, 3, … (4)")
    _, problems = open_image_set("images", ImageSetConfig(folder="nowhere"), settings)
    assert problems == [f"there is no folder {tmp_path / 'nowhere'}"]
    (tmp_path / "empty").mkdir()
    _, problems = open_image_set("images", ImageSetConfig(folder="empty"), settings)
    assert "contains no images" in problems[0]
