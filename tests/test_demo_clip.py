"""The bundled clip is what its README and the demo's evaluation rely on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from livos.masks.label_maps import davis_palette

DEMO = Path(__file__).resolve().parents[1] / "examples" / "demo"
CLIP = "launch-pad-cafe"
ENTRY, CORRECTION = 20, 48


def read_mask(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.mode == "P", f"{path} is not a palette image"
        assert picture.getpalette() == davis_palette().ravel().tolist()
        return np.array(picture)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """(T, H, W)"""
    return np.stack([read_mask(path) for path in sorted((DEMO / "Annotations" / CLIP).iterdir())])


def areas(truth: np.ndarray, label: int) -> np.ndarray:
    return (truth == label).sum(axis=(1, 2))


def test_every_frame_has_a_mask_of_its_size(truth):
    frames = sorted((DEMO / "JPEGImages" / CLIP).iterdir())
    masks = sorted((DEMO / "Annotations" / CLIP).iterdir())
    assert [path.stem for path in frames] == [path.stem for path in masks] == [f"{index:05d}" for index in range(64)]
    for path in frames:
        with Image.open(path) as picture:
            assert (picture.mode, picture.size) == ("RGB", (854, 480))
    assert truth.shape == (64, 480, 854)


def test_three_objects_are_seen(truth):
    assert np.unique(truth).tolist() == [0, 1, 2, 3]


def test_the_cup_enters_later_and_is_well_visible_then(truth):
    area = areas(truth, 3)
    assert not area[:ENTRY].any()
    assert (area[ENTRY:] > 0).all()
    assert area[ENTRY] > 0.5 * area.max()


def test_the_cat_is_hidden_for_a_while_and_comes_back(truth):
    area = areas(truth, 2)
    assert np.flatnonzero(area == 0).tolist() == list(range(24, 40))
    assert area[0] > 10_000 and area[-1] > 10_000


def test_given_masks_show_new_objects_and_one_correction(truth):
    folder = DEMO / "GivenMasks" / CLIP
    names = [f"{frame:05d}.png" for frame in (0, ENTRY, CORRECTION)]
    assert sorted(path.name for path in folder.iterdir()) == names
    first, entry, correction = (read_mask(folder / name) for name in names)
    assert np.array_equal(first, truth[0])
    assert np.unique(first).tolist() == [0, 1, 2]
    assert np.array_equal(entry, np.where(truth[ENTRY] == 3, 3, 0))
    assert np.array_equal(correction, np.where(truth[CORRECTION] == 2, 2, 0))


def test_the_clip_is_small():
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) <= 5_000_000


def test_the_script_makes_these_frames(truth, monkeypatch):
    pytest.importorskip("skimage", reason="the photographs come with scikit-image")
    monkeypatch.syspath_prepend(str(DEMO.parents[1] / "scripts" / "data"))
    import make_demo_clip

    cards = make_demo_clip.make_cards(make_demo_clip.photographs_folder())
    image, labels = make_demo_clip.render_frame(cards, 42, np.random.default_rng(0))
    with Image.open(DEMO / "JPEGImages" / CLIP / "00042.jpg") as picture:
        bundled = np.array(picture)
    assert np.abs(image.astype(int) - bundled).mean() < 3.0  # grain and compression
    assert (labels == truth[42]).mean() > 0.999
