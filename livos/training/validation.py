"""J&F of the network during training, on a test set whose true masks are known."""

from dataclasses import replace

import numpy as np

from livos.checkpoints import STANDARD_SHORT_SIDE
from livos.config.schema import ValidationConfig
from livos.distributed import Process, gather
from livos.evaluation.run import share
from livos.evaluation.scoring import Truth, new_scorer
from livos.evaluation.sets import open_test_set
from livos.evaluation.video import TestVideo
from livos.files.images import image_size
from livos.model.network import LiVOS
from livos.pipeline.segment import deliver, segment
from livos.segmenter.segmenter import VideoSegmenter

_ASKED_BY = "validation.every"


def check_validation(config: ValidationConfig) -> None:
    """Looks for the test set and its true masks before hours of training.

    Raises:
        ValueError: If no set is named, or its true masks are missing or not public.
        FileNotFoundError: If the set, or the true masks of a video, are missing.
        ImportError: If the scoring package is not installed.
    """
    if config.dataset is None:
        raise ValueError("validation.every is set, but not the set to validate on: dataset@validation.dataset=d17-val")
    truth = Truth(config.dataset, _ASKED_BY)
    for video in open_test_set(config.dataset, config.videos):
        truth.of(video)


def validate(network: LiVOS, config: ValidationConfig, precision: str, process: Process) -> float:
    """The mean J&F over the set's objects, in percent, of the network in evaluation mode.

    Every process has to call this; they share the videos.
    """
    dataset = config.dataset
    assert dataset is not None  # checked before training
    size = dataset.size or STANDARD_SHORT_SIDE
    segmenter = VideoSegmenter(network, process.device, precision, size=size)
    total, truth = new_scorer(_ASKED_BY), Truth(dataset, _ASKED_BY)
    videos = share(open_test_set(dataset, config.videos), process)
    for video in videos:
        total.merge(scores_of(segmenter, video, truth, config.max_frames))
    scores = [item.measures["J&F"] for item in total.result().objects] if videos else []
    return 100 * float(np.mean(np.concatenate(gather(scores))))


def scores_of(segmenter: VideoSegmenter, video: TestVideo, truth: Truth, max_frames: int | None):
    """The scorer after one video, or after its first frames."""
    scores = truth.scores(video)
    if scores.problem is not None:
        raise ValueError(f"{video.name}: {scores.problem}")
    beginning = replace(video, frame_paths=video.frame_paths[:max_frames])
    segmenter.reset()
    for _ in deliver(segment(beginning, segmenter, image_size(video.frame_paths[0])), [scores]):
        pass
    if scores.problem is not None:
        raise ValueError(f"{video.name}: {scores.problem}")
    return scores.scorer
