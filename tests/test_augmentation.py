import cv2
import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from livos.config.schema import ColourConfig, ImageWarpConfig, VideoWarpConfig
from livos.training.data.augmentation import (
    Colour,
    Warp,
    apply_colour,
    random_colour,
    random_crop_box,
    random_image_warps,
    random_path,
    random_video_warp,
    random_view,
)

NO_CHANGE = ColourConfig(0.0, 0.0, 0.0, 0.0)


def random_warps(count: int, size: int = 64) -> list[Warp]:
    """Warps for an image of 60 x 100 pixels, half of them of video clips, half of image clips, the latter bent."""
    generator = np.random.default_rng(0)
    images = ImageWarpConfig(bend_probability=1.0)
    videos = [random_video_warp(60, 100, size, VideoWarpConfig(), generator) for _ in range(count // 2)]
    return videos + random_image_warps(60, 100, size, count - count // 2, images, generator)


def blob() -> np.ndarray:
    labels = np.zeros((60, 100), dtype=np.uint8)
    cv2.circle(labels, (45, 30), 20, 1, -1)
    labels[10:25, 60:90] = 1
    return labels


def test_image_and_labels_stay_aligned():
    labels = blob()
    for warp in random_warps(20):
        image = warp.apply(np.dstack([labels * 255] * 3))
        warped = warp.apply(labels, nearest=True)
        edges = cv2.morphologyEx(warped, cv2.MORPH_GRADIENT, np.ones((3, 3)))
        differ = (image[..., 0] > 127) != (warped > 0)
        assert not differ[edges == 0].any()
        assert differ.sum() <= 0.5 * edges.sum()
        assert set(np.unique(warped)) <= {0, 1}


def test_a_pixel_comes_from_the_place_that_the_matrix_names():
    columns, rows = np.meshgrid(np.arange(100), np.arange(60))
    image = np.dstack([columns * 2, rows * 4, rows * 0]).astype(np.uint8)
    for warp in random_warps(20)[:10]:
        found = warp.apply(image, fill=(0, 0, 255)).astype(float)
        out = np.stack(np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5, [1.0]), axis=-1)[:, :, 0]
        expected = out @ warp.matrix[:2].T - 0.5
        inside = found[..., 2] == 0
        assert inside.sum() > 500
        np.testing.assert_allclose((found[..., :2] / [2, 4])[inside], expected[inside], atol=0.35)


def test_decoding_at_a_reduced_size_shows_the_same():
    image = cv2.GaussianBlur(blob() * 255, (0, 0), 4)
    half = cv2.resize(image, (50, 30), interpolation=cv2.INTER_AREA)
    for warp in random_warps(12, size=24):
        full, reduced = warp.apply(image), warp.apply(half, reduced=2)
        inside = warp.apply(np.full_like(image, 255))[1:-1, 1:-1] == 255  # the border is as wide as a pixel
        inside = cv2.erode(inside.astype(np.uint8), np.ones((5, 5))) > 0
        assert np.abs(full.astype(int) - reduced)[1:-1, 1:-1][inside].max(initial=0) < 16


def test_minification_counts_input_pixels_per_output_pixel():
    assert Warp(8, np.diag([3.0, 2.0, 1.0])).minification == pytest.approx(2.0)


def test_without_changes_allowed_the_whole_frame_is_resized():
    still = VideoWarpConfig(flip_probability=0, rotation=0, shear=0, crop_scale=[1, 1], crop_ratio=[1, 1])
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    warp = random_video_warp(32, 32, 32, still, np.random.default_rng(0))
    np.testing.assert_array_equal(warp.apply(image), image)
    still.flip_probability = 1
    warp = random_video_warp(32, 32, 32, still, np.random.default_rng(0))
    np.testing.assert_array_equal(warp.apply(image), image[:, ::-1])


def test_crops_lie_in_the_image_and_cover_what_is_asked():
    generator = np.random.default_rng(0)
    for _ in range(100):
        left, top, width, height = random_crop_box(480, 854, (0.36, 1.0), (0.75, 4 / 3), generator)
        assert left >= 0 and top >= 0 and left + width <= 854 + 1e-6 and top + height <= 480 + 1e-6
        assert 0.7499 < width / height < 1.3334
        assert width * height > 0.359 * 480 * 854
    narrow = random_crop_box(100, 1000, (1.0, 1.0), (0.75, 4 / 3), generator)
    np.testing.assert_allclose(narrow, ((1000 - 400 / 3) / 2, 0, 400 / 3, 100))


def test_steady_image_clips_move_evenly():
    settings = ImageWarpConfig(bend_probability=1.0, steady=True, rotation=0, shear=0, frame_scale=[1, 1])
    warps = random_image_warps(60, 100, 32, 5, settings, np.random.default_rng(0))
    steps = np.diff([warp.matrix for warp in warps], axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=1e-9)
    assert np.abs(steps[0]).max() > 0.01
    bends = np.diff([warp.bend for warp in warps], axis=0)
    np.testing.assert_allclose(bends, np.broadcast_to(bends[0], bends.shape), atol=1e-3)


def test_a_third_of_the_image_clips_is_bent():
    generator = np.random.default_rng(0)
    bent = [random_image_warps(20, 20, 16, 1, ImageWarpConfig(), generator)[0].bend is not None for _ in range(150)]
    assert 30 < sum(bent) < 70


def colours_of(images: torch.Tensor, clip: ColourConfig, frame=NO_CHANGE, grey=0.0, seed=0) -> torch.Tensor:
    colour = random_colour(images.shape[1], clip, frame, grey, np.random.default_rng(seed))
    return apply_colour(images, Colour(colour.spread[None], colour.middle[None]))


@pytest.fixture
def images() -> torch.Tensor:
    """(1, 2, 3, 8, 8) uint8 without values so extreme that they would be cut."""
    return torch.randint(80, 160, (1, 2, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def test_no_change_of_colour_only_scales(images):
    torch.testing.assert_close(colours_of(images, NO_CHANGE), images / 255)


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_colour_changes_are_those_of_torchvision(images, name):
    draw = np.random.default_rng(0).uniform(-1, 1, 4)[["brightness", "contrast", "saturation"].index(name)]
    factor = 1 + 0.2 * draw
    expected = getattr(reference, f"adjust_{name}")(images / 255, factor)
    found = colours_of(images, ColourConfig(**{**vars(NO_CHANGE), name: 0.2}))
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)  # torchvision rounds the weights of grey


def test_hue_turns_red_to_green():
    red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 1, 3, 1, 1)
    turn = 1 / 3 / np.random.default_rng(0).uniform(-1, 1, 4)[3]
    torch.testing.assert_close(colours_of(red, ColourConfig(0, 0, 0, turn)).flatten(), torch.tensor([0.0, 1.0, 0.0]))


def test_grey_clips_are_grey_in_all_frames(images):
    grey = colours_of(images, ColourConfig(), ColourConfig(), grey=1.0)
    assert (grey.amax(2) - grey.amin(2)).max() < 0.12, "frames get some of their own colour change, not their colour"
    grey = colours_of(images, ColourConfig(), NO_CHANGE, grey=1.0)
    torch.testing.assert_close(grey[:, :, 0], grey[:, :, 1])


def test_frames_share_the_clips_change_and_have_a_slight_one_of_their_own(images):
    same = images[:, :1].expand(1, 2, 3, 8, 8)
    shared = colours_of(same, ColourConfig(0.2, 0.2, 0.2, 0.1))
    torch.testing.assert_close(shared[:, 0], shared[:, 1])
    own = colours_of(same, NO_CHANGE, ColourConfig(0.01, 0.01, 0.01, 0.0))
    assert 0 < (own[:, 0] - own[:, 1]).abs().max() < 0.05


def test_colours_stay_in_range():
    extremes = torch.randint(0, 2, (1, 2, 3, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8) * 255
    found = colours_of(extremes, ColourConfig(0.9, 0.9, 0.9, 0.5))
    assert found.min() >= 0 and found.max() <= 1 and found.dtype == torch.float32


def test_a_path_begins_where_the_object_is_and_stays_within_reach():
    paths = [random_path(5, 20.0, np.random.default_rng(seed)) for seed in range(40)]
    assert all((path[0] == 0).all() and np.abs(path).max() <= 20 for path in paths)
    back = [path for path in paths if (path[-1] == 0).all()]
    assert 10 < len(back) < 30 and all(np.abs(path[2]).max() > 0 for path in back)
    assert max(np.abs(path[-1]).max() for path in paths) > 15


def test_a_view_that_zooms_and_pans_starts_at_the_crop_and_moves_evenly():
    generator = np.random.default_rng(0)
    still = random_view(5, 64, VideoWarpConfig(), generator)
    np.testing.assert_array_equal(still, np.stack([np.eye(3)] * 5))
    for _ in range(20):
        view = random_view(5, 64, VideoWarpConfig(zoom=2.0, pan=0.5), generator)
        zooms = view[:, 0, 0]
        np.testing.assert_allclose(view[0], np.eye(3))
        assert 0.5 <= zooms[-1] <= 2
        np.testing.assert_allclose(np.diff(np.log(zooms)), np.log(zooms[-1]) / 4)
        middle = (view @ [32, 32, 1])[:, :2] - 32
        assert np.abs(middle).max() <= 32 + 1e-6
        np.testing.assert_allclose(np.diff(middle, axis=0), middle[-1:].repeat(4, axis=0) / 4, atol=1e-9)
