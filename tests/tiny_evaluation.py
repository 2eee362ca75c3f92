"""Evaluations that take a fraction of a second: tiny videos and a tiny network with random weights."""

import copy
from dataclasses import asdict
from pathlib import Path
from unittest.mock import patch

import torch
from tiny_sets import generic, numbered, settings_of, write_video

from livos.build import build_model
from livos.config.schema import EvalConfig
from livos.distributed import Process
from livos.evaluation.report import EvaluationReport
from livos.evaluation.run import evaluate
from livos.model.config import ModelConfig
from livos.model.network import LiVOS

TINY_MODEL = {
    "image_encoder": "timm/test_efficientnet",
    "mask_encoder": "resnet10",
    "mask_encoder_width": 4,
    "key_dim": 4,
    "value_dim": 8,
    "num_queries": 4,
    "num_blocks": 1,
    "num_heads": 2,
    "ffn_dim": 8,
    "decoder_dims": [8, 8, 8],
    "sensory_kernel": 1,
}
ALL_MASKS = [f"{video}/{frame}.png" for video in "ab" for frame in numbered(4)]


def write_two_videos(root: Path) -> None:
    """Videos `a` and `b` of four frames in `<root>/images`, with objects 1 and 2 on the first, and 7 on the third."""
    for name in ("a", "b"):
        write_video(root / "images", root / "masks", name, numbered(4), {"00000": [1, 2], "00002": [7]})


def tiny_settings(root: Path, dataset: str | None = None, **changes: object) -> EvalConfig:
    """Settings for the videos in `<root>/images`, or for an official set below `root`; results go to `<root>/out`."""
    settings = {
        **asdict(settings_of(dataset, root) if dataset else generic(root, size=-1)),
        "model": ModelConfig(**TINY_MODEL),
        "weights": "untrained",
        "output_dir": str(root / "out"),
        "device": "cpu",
    }
    return EvalConfig(**{**settings, **changes})


def run(root: Path, dataset: str | None = None, **changes: object) -> EvaluationReport:
    """Evaluates in this process and returns the report."""
    with patch("livos.evaluation.run.build_model", built_once):
        return evaluate(tiny_settings(root, dataset, **changes), Process(0, 1, torch.device("cpu")))


_built: dict[str, LiVOS] = {}


def built_once(config: ModelConfig, seed: int) -> LiVOS:
    """`build_model`, which takes longer than everything else here, run only once."""
    key = f"{config} {seed}"
    if key not in _built:
        _built[key] = build_model(config, seed=seed)
    return copy.deepcopy(_built[key])


def masks_in(root: Path) -> dict[str, bytes]:
    """The content of every file in the folder of masks, by its name `<video>/<frame>.png`."""
    folder = root / "out" / "Annotations"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*"))}
