"""How the weights are updated: parameter groups, learning-rate schedules, and averaged weights."""

from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from livos.config.schema import StageConfig

Tensors: TypeAlias = tuple[Tensor, ...] | list[Tensor]

EMBEDDINGS = ("query_init.weight", "query_emb.weight")  # of the object transformer
BACKBONE = "image_encoder."


def make_optimizer(network: nn.Module, stage: StageConfig) -> torch.optim.AdamW:
    """AdamW over three groups: the image encoder, the embeddings, and everything else.

    Each group has its learning rate at the start of the stage under `base_lr`.
    """
    groups: dict[str, list[Tensor]] = {"backbone": [], "embeddings": [], "others": []}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups[parameter_group(name)].append(parameter)
    rates = {"backbone": stage.learning_rate * stage.backbone_learning_rate_ratio}
    decays = {"embeddings": stage.embedding_weight_decay}
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "name": name,
                "lr": rates.get(name, stage.learning_rate),
                "base_lr": rates.get(name, stage.learning_rate),
                "weight_decay": decays.get(name, stage.weight_decay),
            }
            for name, parameters in groups.items()
            if parameters
        ],
        fused=next(network.parameters()).is_cuda,
    )


def parameter_group(name: str) -> str:
    """The group of the parameter with this name: backbone, embeddings or others."""
    if name.startswith(BACKBONE):
        return "backbone"
    return "embeddings" if name.endswith(EMBEDDINGS) else "others"


def learning_rate_factor(iteration: int, stage: StageConfig) -> float:
    """What the learning rates are multiplied by in this iteration (counted from 0)."""
    warmup = min(1.0, (iteration + 1) / stage.warmup) if stage.warmup else 1.0
    if stage.schedule == "constant":
        return warmup
    if stage.schedule == "poly":
        return warmup * (1 - iteration / stage.iterations) ** stage.poly_power
    return warmup * stage.step_factor ** sum(iteration >= step for step in stage.steps)


def set_learning_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Sets every group's learning rate to `factor` times its value at the start of the stage."""
    for group in optimizer.param_groups:
        group["lr"] = factor * group["base_lr"]


def averaged(network: nn.Module, decay: float) -> AveragedModel:
    """A copy of the network whose parameters follow the network's as an exponential moving average.

    In the first steps the decay is smaller, (1 + steps) / (10 + steps), so that the initial weights are soon forgotten.
    Buffers (batch-norm statistics) are already averages and are copied.
    """

    def update(averages: Tensors, current: Tensors, steps: Tensor | int) -> None:
        decay_now = min(decay, (1 + int(steps)) / (10 + int(steps)))
        torch._foreach_lerp_(averages, current, 1 - decay_now)

    return AveragedModel(network, multi_avg_fn=update)
