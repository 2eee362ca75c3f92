"""A network and a run that are small enough to train within a test."""

import json
import socket
from pathlib import Path

import torch
from training_data import tiny_settings

from livos.build import build_model
from livos.config.schema import LossConfig, StageConfig, TrainConfig
from livos.distributed import Process
from livos.model.config import ModelConfig
from livos.training.data.loaders import ClipBatch, make_loader
from livos.training.modes import to_training_mode
from livos.training.step import TrainingStep

ALONE = Process(0, 1, torch.device("cpu"))

TINY = {
    "image_encoder": "resnet18",
    "mask_encoder": "resnet10",
    "mask_encoder_width": 8,
    "key_dim": 8,
    "value_dim": 16,
    "num_queries": 4,
    "num_blocks": 1,
    "num_heads": 2,
    "ffn_dim": 16,
    "decoder_dims": [16, 8, 8],
}


def tiny_network(batch_norm: str = "train") -> torch.nn.Module:
    network = build_model(ModelConfig(**TINY), seed=0)
    to_training_mode(network, batch_norm)
    return network


def tiny_stage(**changes) -> StageConfig:
    return StageConfig(**{"iterations": 4, "batch_size": 2, "num_points": 40, "steps": [3], **changes})


def tiny_run(root: Path, stage: StageConfig | None = None, **changes) -> TrainConfig:
    """A run on the videos below `root`, which are to be written by `training_data.write_videos`."""
    settings = {
        "output_dir": str(root / "run"),
        "model": ModelConfig(**TINY),
        "data": tiny_settings(root, num_frames=3),
        "image_data": tiny_settings(root, num_frames=3),
        "pre_training": StageConfig(enabled=False),
        "main_training": stage or tiny_stage(),
        "pretrained": False,
        "device": "cpu",
        "num_workers": 0,
        "log_every": 1,
        "picture_every": 100,
        "weights_every": 100,
        "checkpoint_every": 2,
    }
    return TrainConfig(exp_id="tiny", **{**settings, **changes})


def make_step(network: torch.nn.Module, stage: StageConfig, **changes) -> TrainingStep:
    """A step whose gradients can be inspected afterwards: the weights do not change."""
    optimizer = torch.optim.SGD([{"params": list(network.parameters()), "base_lr": 0.0}], lr=0.0)
    settings = {"precision": "float32", "seed": 0, "padding_slots": None, "device": torch.device("cpu")}
    scaler = torch.amp.GradScaler("cpu", enabled=changes.get("precision") == "float16")
    return TrainingStep(network, optimizer, scaler, stage, LossConfig(), **{**settings, **changes})


def portions_of_first_batch(root: Path, stage: StageConfig, **share) -> list[tuple[list[int], ClipBatch]]:
    """The first iteration's portions for one process, with the numbers of their clips."""
    loader = make_loader(
        tiny_settings(root, num_frames=3),
        seed=0,
        batch_size=stage.batch_size,
        num_iterations=1,
        accumulation=stage.accumulation,
        **share,
    )
    return list(zip(loader.batch_sampler, loader, strict=True))


def gradients_of(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.grad.clone() for name, parameter in network.named_parameters()}


def numbers_of(folder: Path) -> list[dict]:
    """What a run has written to its file of numbers."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
