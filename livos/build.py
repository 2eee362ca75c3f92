"""Networks by name."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf

from livos.model.config import ModelConfig
from livos.model.network import LiVOS

_CONFIGS = Path(__file__).parent / "config" / "model"


def model_names() -> list[str]:
    """Lists the names of the networks that `build_model` knows.

    Returns:
        Names such as `base`, `lite` and `small`, in alphabetical order.
    """
    return sorted(path.stem for path in _CONFIGS.glob("*.yaml"))


def model_config(name: str, **changes) -> ModelConfig:
    """Returns the settings of a named network, with some changes.

    Raises:
        ValueError: If the name or a key is unknown.
    """
    if name not in model_names():
        raise ValueError(f"unknown model {name!r}: expected one of {', '.join(model_names())}")
    unknown = set(changes) - {f.name for f in fields(ModelConfig)}
    if unknown:
        raise ValueError(f"unknown settings {sorted(unknown)}: expected {[f.name for f in fields(ModelConfig)]}")
    schema = OmegaConf.structured(ModelConfig)
    config = OmegaConf.to_object(OmegaConf.merge(schema, OmegaConf.load(_CONFIGS / f"{name}.yaml"), changes))
    assert isinstance(config, ModelConfig)
    return config


def build_model(
    model: str | ModelConfig = "base", pretrained: bool = False, seed: int | None = None, **changes: Any
) -> LiVOS:
    """Builds a network with random weights, in evaluation mode, on the CPU.

    Args:
        model: A name (one of `model_names()`), or settings.
        pretrained: Start the encoders from ImageNet weights, which torchvision or timm downloads.
        seed: Makes the random weights reproducible. By default they depend on torch's global generator.
        **changes: Settings of a named model to replace, such as `key_dim=32`.

    Returns:
        The network. `load_weights` puts trained weights into it.

    Raises:
        ValueError: If the name or a setting is unknown.
    """
    config = model_config(model, **changes) if isinstance(model, str) else model
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        return LiVOS(config, pretrained).eval()
