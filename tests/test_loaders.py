import dataclasses
import gc
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf
from processes import Leftover
from training_data import OBJECT_COLOURS, tiny_settings, write_images, write_videos

from livos.config.schema import DataConfig, FlightConfig, ImageSetConfig
from livos.training.data.augmentation import apply_colour
from livos.training.data.loaders import BatchIndices, ClipBatch, ClipDataset, make_loader
from livos.training.data.workers import ClipLoader

SHARED_DATA = Path(__file__).parents[2] / "shared/data"
MIXTURES = [path.stem for path in (Path(__file__).parents[1] / "livos/config/data").glob("*.yaml")]


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_videos(root)
    return write_images(root)


def batches(root: Path, **changes) -> list[ClipBatch]:
    arguments = {"seed": 1, "batch_size": 4, "num_iterations": 3, **changes}
    return list(make_loader(tiny_settings(root, images=True), **arguments))


def assert_equal(found: list[ClipBatch], expected: list[ClipBatch]) -> None:
    assert [batch.names for batch in found] == [batch.names for batch in expected]
    for one, other in zip(found, expected, strict=True):
        for a, b in zip(tensors(one), tensors(other), strict=True):
            torch.testing.assert_close(a, b, atol=0, rtol=0)


def tensors(batch: ClipBatch) -> tuple[torch.Tensor, ...]:
    return batch.images, batch.labels, batch.num_objects, batch.colour.spread, batch.colour.middle


def test_a_batch_has_the_promised_shapes(root):
    for batch in batches(root):
        assert batch.images.shape == (4, 4, 3, 32, 32) and batch.images.dtype == torch.uint8
        assert batch.labels.shape == (4, 4, 32, 32) and batch.labels.dtype == torch.uint8
        assert batch.num_objects.dtype == torch.int64 and len(batch.names) == 4
        for labels, count in zip(batch.labels, batch.num_objects.tolist(), strict=True):
            assert labels[0].unique().tolist()[-count:] == list(range(1, count + 1))
            assert labels.max() == count <= 3
        floats = apply_colour(batch.images, batch.colour)
        assert floats.shape == batch.images.shape and floats.min() >= 0 and floats.max() <= 1


def test_images_are_red_green_blue_planes(root):
    batch = batches(root)[0]
    for images, labels, count in zip(batch.images, batch.labels, batch.num_objects.tolist(), strict=True):
        for slot in range(1, count + 1):
            colour = images.permute(0, 2, 3, 1)[labels == slot].float().median(0).values.numpy()
            assert np.abs(OBJECT_COLOURS[1:] - colour).max(axis=1).min() < 60


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("num_workers", [1, 3])
def test_the_number_of_workers_does_not_change_the_clips(root, num_workers):
    assert_equal(batches(root, num_workers=num_workers), batches(root))


class CollectingDataset:
    def __getitem__(self, index: int) -> int:
        return gc.collect()


def test_workers_do_not_free_what_this_process_left_behind(tmp_path):
    Leftover(tmp_path / "freed by")
    assert len(list(ClipLoader(CollectingDataset(), [[0], [1]], list, num_workers=1))) == 2
    assert (tmp_path / "freed by").read_text() == str(os.getpid())


def test_another_seed_gives_other_clips(root):
    assert batches(root)[0].names != batches(root, seed=2)[0].names


@pytest.mark.parametrize("world_size, accumulation", [(1, 4), (2, 2), (4, 1), (2, 1)])
def test_processes_and_accumulation_share_the_samples_of_one_stream(root, world_size, accumulation):
    streams = [batches(root, rank=rank, world_size=world_size, accumulation=accumulation) for rank in range(world_size)]
    iterations = [slice(i * accumulation, (i + 1) * accumulation) for i in range(3)]
    names = [[name for stream in streams for part in stream[i] for name in part.names] for i in iterations]
    assert names == [batch.names for batch in batches(root)]


def test_the_portions_of_four_accumulated_are_those_of_two_processes(root):
    alone = batches(root, accumulation=4)
    first, second = (batches(root, accumulation=2, world_size=2, rank=rank) for rank in (0, 1))
    assert_equal(alone, [*first[:2], *second[:2], *first[2:4], *second[2:4], *first[4:], *second[4:]])


def test_a_resumed_run_continues_with_the_same_clips(root):
    assert_equal(batches(root, start_iteration=2), batches(root)[2:])


def test_the_global_random_state_is_neither_used_nor_changed(root):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = batches(root, num_workers=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    np.random.seed(1)
    assert_equal(batches(root, num_workers=1), first)


def test_the_loader_knows_its_length(root):
    loader = make_loader(
        tiny_settings(root), seed=0, batch_size=8, num_iterations=10, start_iteration=3, world_size=2, accumulation=2
    )
    assert len(loader) == 14


def test_a_batch_that_cannot_be_divided_is_refused():
    with pytest.raises(ValueError, match="batch_size=16 cannot be divided among 3 processes with accumulation=1"):
        BatchIndices(16, 10, world_size=3)
    with pytest.raises(ValueError, match="with accumulation=4"):
        BatchIndices(4, 10, world_size=2, accumulation=4)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"size": 40}, "data.size=40 must be a multiple of 16"),
        ({"max_objects": 0}, "data.max_objects=0"),
        ({"num_frames": 1}, "data.num_frames=1"),
        ({"max_skip": [5, 10]}, "max_skip="),
        ({"merge_motion": -0.5}, "merge_motion="),
    ],
)
def test_settings_that_make_no_clip_are_refused(root, change, message):
    with pytest.raises(ValueError, match=message):
        ClipDataset(tiny_settings(root, **change), seed=0, num_samples=1)


def test_a_pass_has_each_item_as_often_as_its_set_says(root):
    settings = tiny_settings(root, images=True, merge_probability=0.0)
    settings.video_sets["videos"].repeat = 3
    settings.image_sets["none"] = ImageSetConfig(folder="nowhere", repeat=0)
    dataset = ClipDataset(settings, seed=0, num_samples=100)
    names = [dataset[index][0].name.split(":")[0] for index in range(4 * 3 + 3)]
    assert {name: names.count(name) for name in names} == {
        **{f"videos/video{k}": 3 for k in range(4)},
        **{f"images/{k}": 1 for k in range(3)},
    }


def test_half_of_the_clips_with_room_are_merged(root):
    settings = tiny_settings(root)
    dataset = ClipDataset(settings, seed=0, num_samples=200)
    clips = [dataset[index][0] for index in range(120)]
    merged = [" + " in clip.name for clip in clips]
    assert 35 < sum(merged) < 75
    settings.merge_probability = 0.0
    assert not any(" + " in dataset[index][0].name for index in range(20))
    settings.merge_probability, settings.max_merges = 1.0, 2
    assert max(dataset[index][0].name.count(" + ") for index in range(20)) == 2


def test_objects_of_any_set_can_be_pasted_in_and_move_on_their_own(root):
    settings = tiny_settings(root, images=True, merge_probability=1.0)
    own = ClipDataset(settings, seed=0, num_samples=100)
    settings = tiny_settings(root, images=True, merge_probability=1.0, merge_across_sets=True)
    across = ClipDataset(settings, seed=0, num_samples=100)

    def sets_of(dataset: ClipDataset, index: int) -> set[str]:
        return {name.split("/")[0] for name in dataset[index][0].name.split(" + ")}

    assert all(len(sets_of(own, index)) == 1 for index in range(30))
    assert any(len(sets_of(across, index)) == 2 for index in range(30))
    moving = ClipDataset(dataclasses.replace(settings, merge_motion=0.5), seed=0, num_samples=100)
    clips = [(across[index][0], moving[index][0]) for index in range(10)]
    assert all(np.array_equal(still.labels[0], moved.labels[0]) for still, moved in clips)
    assert any(not np.array_equal(still.labels[-1], moved.labels[-1]) for still, moved in clips)


def test_a_dataset_can_be_sent_to_a_worker_that_starts_afresh(root):
    dataset = ClipDataset(tiny_settings(root, images=True), seed=0, num_samples=10)
    sent = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(sent[3][0].images, dataset[3][0].images)


def test_a_batch_goes_to_a_device(root):
    batch = batches(root)[0].to("meta")
    assert all(tensor.is_meta for tensor in tensors(batch)) and batch.names


def composed(name: str) -> DataConfig:
    with initialize_config_module("livos.config", version_base=None):
        settings = compose(overrides=[f"+data={name}"]).data
    return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(DataConfig), settings))


@pytest.mark.parametrize("name", MIXTURES)
def test_every_mixture_is_named_in_full_where_its_data_is_missing(name, tmp_path):
    settings = composed(name)
    settings.root = str(tmp_path)
    sets = {**settings.video_sets, **settings.image_sets}
    with pytest.raises(ValueError) as error:
        ClipDataset(settings, seed=0, num_samples=1)
    assert sets and all(f"{name}: there is no folder" in str(error.value) for name in sets)


def test_the_published_mixtures_have_the_published_sets():
    repeats = {name: {k: v.repeat for k, v in composed(name).video_sets.items()} for name in ("base", "mega")}
    assert repeats["base"] == {"davis17": 2, "youtube": 1}
    assert repeats["mega"] == {"davis17": 2, "youtube": 1, "mose": 1, "burst": 1, "ovis": 1}
    intervals = {k: v.frame_interval for k, v in composed("mega").video_sets.items()}
    assert intervals == {"davis17": 2, "youtube": 5, "mose": 5, "burst": 5, "ovis": 3}
    assert set(composed("with-mose").video_sets) == {"davis17", "youtube", "mose"}
    static = composed("static")
    assert (static.num_frames, static.size) == (3, 384) and not static.video_sets


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the small data set is not here")
@pytest.mark.parametrize("name", ["small", "small-static"])
def test_clips_of_real_data(name):
    settings = composed(name)
    settings.root = str(SHARED_DATA)
    for batch in make_loader(settings, seed=0, batch_size=2, num_iterations=2):
        assert batch.images.shape[1:] == (settings.num_frames, 3, settings.size, settings.size)
        assert (batch.num_objects >= 1).all() and batch.images.float().std() > 10


SHAPES = {
    "shapes": [[4, 32], [6, 16], [3, 48]],
    "flight": FlightConfig(0.7, twin_probability=0.5, occluder_probability=0.5),
}


def shaped_batches(root: Path, **changes) -> list[ClipBatch]:
    arguments = {"seed": 1, "batch_size": 4, "num_iterations": 8, **changes}
    return list(make_loader(tiny_settings(root, images=True, **SHAPES), **arguments))


def test_batches_have_one_of_the_shapes_each(root):
    shapes = {(batch.images.shape[1], batch.images.shape[-1]) for batch in shaped_batches(root)}
    assert shapes == {(4, 32), (6, 16), (3, 48)}


def test_processes_agree_on_the_shape_and_a_resumed_run_continues_with_it(root):
    alone = shaped_batches(root)
    first, second = (shaped_batches(root, world_size=2, rank=rank) for rank in (0, 1))
    for whole, *halves in zip(alone, first, second, strict=True):
        torch.testing.assert_close(torch.cat([half.images for half in halves]), whole.images, atol=0, rtol=0)
    assert_equal(shaped_batches(root, start_iteration=5), alone[5:])


@pytest.mark.parametrize("shapes", [[[4, 40]], [[1, 32]], [[4, 32, 3]]])
def test_shapes_that_no_clip_can_have_are_refused(root, shapes):
    with pytest.raises(ValueError, match=r"data\.(size|num_frames|shapes)="):
        ClipDataset(tiny_settings(root, shapes=shapes), seed=0, num_samples=1)
