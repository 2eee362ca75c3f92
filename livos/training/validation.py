"""J&F of the network in training, on a test set whose truth is known."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from livos.checkpoints import STANDARD_SHORT_SIDE
from livos.config.schema import TestSetConfig, ValidationConfig
from livos.distributed import Process, gather
from livos.evaluation.run import share
from livos.evaluation.sets import locate, open_test_set
from livos.evaluation.video import TestVideo
from livos.masks.label_maps import read_labels
from livos.model.network import LiVOS
from livos.segmenter.segmenter import VideoSegmenter


def check_validation(config: ValidationConfig) -> None:
    """Look for the test set and its truth before hours of training.

    Raises:
        ValueError: if no set is named, or its truth is not public.
        FileNotFoundError: if the set, or its truth, is not there.
        ImportError: if the scoring package is not installed.
    """
    if find_spec("vos_benchmark") is None:
        raise ImportError("validation needs the scoring package: pip install ./vos-benchmark")
    if config.dataset is None:
        raise ValueError("validation.every is set, but no set to validate on: dataset@validation.dataset=d17-val")
    for video in open_test_set(config.dataset, config.videos):
        truth_dir(config.dataset, video)


def truth_dir(dataset: TestSetConfig, video: TestVideo) -> Path:
    """The folder with a video's true masks."""
    if dataset.truth_directory is None:
        raise ValueError(f"{dataset.dataset_name} has no public truth (truth_directory) to validate with")
    folder = locate(dataset.truth_directory)
    if folder is None or not (folder / video.name).is_dir():
        raise FileNotFoundError(f"no true masks of {video.name} in {dataset.truth_directory}")
    return folder / video.name


def validate(network: LiVOS, config: ValidationConfig, precision: str, process: Process) -> float:
    """The mean J&F over the set's objects, in percent, of the network in evaluation mode.

    To be called by every process; they share the videos.
    """
    from vos_benchmark import Scorer  # a package of its own, which training alone does without

    dataset = config.dataset
    assert dataset is not None  # checked before training
    size = dataset.size or STANDARD_SHORT_SIDE
    segmenter = VideoSegmenter(network, process.device, precision, internal_size=size if size > 0 else None)
    scorer = Scorer()
    videos = share(open_test_set(dataset, config.videos), process)
    for video in videos:
        frames = video.frame_paths[: config.max_frames]
        score_video(segmenter, replace(video, frame_paths=frames), dataset, scorer)
    scores = [item.measures["J&F"] for item in scorer.result().objects] if videos else []
    return 100 * float(np.mean(np.concatenate(gather(scores))))


def score_video(segmenter: VideoSegmenter, video: TestVideo, dataset: TestSetConfig, scorer) -> None:
    """Segment a video and add the frames whose truth is known to the scorer."""
    folder = truth_dir(dataset, video)
    segmenter.reset()
    for number, frame in enumerate(video, start=1):
        predicted = segmenter.step(frame.image, frame.labels, last=number == len(video)).labels
        path = folder / f"{frame.name}.png"
        if path.exists():
            truth = read_labels(path, void_id=dataset.void_id, colours=dataset.colour_masks).labels
            scorer.add(video.name, frame.name, truth, predicted)
