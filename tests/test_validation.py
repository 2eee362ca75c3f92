from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny_training import ALONE, numbers_of, tiny_network, tiny_run, tiny_stage
from training_data import write_videos

import livos.config.schema as schema
import livos.training.trainer as trainer
import livos.training.validation as validation
from livos.training.training_state import checkpoints_in, load_checkpoint


@pytest.fixture
def root(tmp_path):
    return write_videos(tmp_path, num_objects=(1, 2), num_frames=5)


def settings(root, **changes) -> schema.ValidationConfig:
    folders = {name: str(root / "videos" / "Annotations") for name in ("mask_directory", "truth_directory")}
    images = str(root / "videos" / "JPEGImages")
    dataset = schema.TestSetConfig(dataset_name="videos", image_directory=images, **folders, size=-1, **changes)
    return schema.ValidationConfig(every=1, dataset=dataset)


class Oracle:
    """Segments by colour, as `training_data` draws objects; wrong in the second video, where it misses an object."""

    def __init__(self, *arguments, **settings):
        self.video = 0

    def reset(self):
        self.video += 1

    def step(self, image, labels=None, last=False, absent=()):
        labels = np.zeros(image.shape[:2], dtype=np.int32)
        labels[image[..., 0] > 0] = 1
        if self.video == 1:
            labels[image[..., 1] > 0] = 2
        return SimpleNamespace(labels=labels, object_ids=[], confidence={})


def test_validation_gives_the_mean_over_objects_in_percent(root, monkeypatch):
    monkeypatch.setattr(validation, "VideoSegmenter", Oracle)
    score = validation.validate(tiny_network(), settings(root), "float32", ALONE)
    assert score == pytest.approx(100 * 2 / 3)


def test_validation_can_be_of_some_videos_and_their_first_frames(root, monkeypatch):
    monkeypatch.setattr(validation, "VideoSegmenter", Oracle)
    config = settings(root)
    config.videos, config.max_frames = ["video0"], 3
    assert validation.validate(tiny_network(), config, "float32", ALONE) == pytest.approx(100)


def test_the_network_is_validated_and_its_best_weights_are_kept(root, monkeypatch):
    scores = iter([20.0, 40.0, 30.0])
    monkeypatch.setattr(trainer, "validate", lambda *arguments: next(scores))
    folder = trainer.train(tiny_run(root, tiny_stage(iterations=3), validation=settings(root), weights_every=1), ALONE)
    found = [line["validation_jf"] for line in numbers_of(folder) if "validation_jf" in line]
    assert found == [20.0, 40.0, 30.0]
    best, second = (torch.load(folder / "weights" / f"{name}.pth") for name in ("best", "main_training_00000002"))
    assert all(torch.equal(best[name], second[name]) for name in best)
    assert load_checkpoint(checkpoints_in(folder / "checkpoints")[-1]).progress.best_score == 40.0


def test_training_continues_as_if_there_were_no_validation(root):
    runs = {
        name: trainer.train(tiny_run(root, tiny_stage(iterations=2), output_dir=str(root / name), **changes), ALONE)
        for name, changes in (("without", {}), ("with", {"validation": settings(root)}))
    }
    losses = {name: [line["loss"] for line in numbers_of(folder) if "loss" in line] for name, folder in runs.items()}
    assert losses["with"] == losses["without"]
    scores = [line["validation_jf"] for line in numbers_of(runs["with"]) if "validation_jf" in line]
    assert len(scores) == 2 and all(0 <= score <= 100 for score in scores)


def test_a_set_without_truth_is_refused_before_training(root):
    config = settings(root)
    config.dataset.truth_directory = None
    with pytest.raises(ValueError, match="dataset=videos has no true masks"):
        trainer.train(tiny_run(root, validation=config), ALONE)
    config.dataset.truth_directory = str(root / "nowhere")
    with pytest.raises(ValueError, match=r"has no true masks at truth_directory=.*nowhere"):
        trainer.train(tiny_run(root, validation=config), ALONE)
    with pytest.raises(ValueError, match="not the set to validate on"):
        trainer.train(tiny_run(root, validation=schema.ValidationConfig(every=1)), ALONE)
