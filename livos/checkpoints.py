"""Weights from files: released ones, our own training's, safetensors; and what to say when they do not fit."""

import pickle
import zipfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from livos.files.atomic import written_aside

Network = TypeVar("Network", bound=nn.Module)

DERIVED = ("inv_freq",)  # entries that a fixed formula gives; they may be missing


def load_weights(network: Network, source: str | PathLike | Mapping[str, Tensor]) -> Network:
    """Puts weights into a network and returns it.

    source: a released state dict (.pth), a checkpoint of livos/train.py (averaged weights if it has them), a
    .safetensors file, or a dict of tensors. Half-precision weights become float32.
    Raises FileNotFoundError where there is no such file, and ValueError where it is no checkpoint or does not fit,
    naming the misfits.
    """
    name = "the given weights" if isinstance(source, Mapping) else str(source)
    weights = upgrade(source if isinstance(source, Mapping) else read_weights(source))
    complaint = misfits(network, weights)
    if complaint:
        raise ValueError(f"{name} does not fit this network ({_title(network)}):\n{complaint}")
    network.load_state_dict(weights, strict=False)
    return network


def save_weights(network: nn.Module, path: str | PathLike, half: bool = False) -> None:
    """Writes a plain state dict (.pth) or .safetensors, complete or not at all. half: floats as float16."""
    state = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    with written_aside(path) as aside:
        if aside.suffix == ".safetensors":
            save_file(state, aside)
        else:
            torch.save(state, aside)


def read_weights(path: str | PathLike) -> dict[str, Any]:
    """The content of a weights file, on the CPU."""
    path = Path(path)
    if not path.is_file():
        found = sorted(p.name for p in path.parent.glob("*.*") if p.suffix in (".pth", ".pt", ".safetensors"))
        raise FileNotFoundError(
            f"no weights at {path} (in its folder: {', '.join(found) or 'none'}). `python download.py` fetches the "
            "released weights; weights/livos-lite.safetensors comes with the repository (model=lite)"
        )
    with path.open("rb") as file:
        head = file.read(512).lstrip().lower()
    if head.startswith((b"<!doctype", b"<html")):
        raise ValueError(f"{path} is a web page, not weights: the download was refused. Delete it and download again")
    try:
        return load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (pickle.UnpicklingError, SafetensorError, zipfile.BadZipFile, EOFError, RuntimeError) as error:
        size = path.stat().st_size
        raise ValueError(f"{path} ({size:,} bytes) is no readable checkpoint, perhaps cut short: {error}") from error


def upgrade(content: Mapping[str, Any]) -> dict[str, Tensor]:
    """The network's state dict out of whatever holds it: a training checkpoint, or names with DDP's prefix."""
    for part in ("average", "network", "model", "state_dict", "weights"):
        if isinstance(content.get(part), Mapping):
            content = content[part]
            break
    weights = {name.removeprefix("module."): x for name, x in content.items()}
    weights.pop("n_averaged", None)  # bookkeeping of torch's AveragedModel
    strangers = [name for name, x in weights.items() if not isinstance(x, Tensor)]
    if strangers:
        raise ValueError(f"no state dict of a network: {strangers[:5]} are not tensors")
    return weights


def misfits(network: nn.Module, weights: Mapping[str, Tensor], shown: int = 5) -> str:
    """What keeps weights from fitting, in lines; empty if they fit."""
    own = network.state_dict()
    missing = [n for n in own if n not in weights and not n.endswith(DERIVED)]
    unknown = [n for n in weights if n not in own]
    shapes = [
        f"{n} {tuple(weights[n].shape)} instead of {tuple(own[n].shape)}"
        for n in own
        if n in weights and weights[n].shape != own[n].shape
    ]
    groups = {"not in the file": missing, "not in the network": unknown, "of another shape": shapes}
    return "\n".join(
        f"  {len(names)} {what}: {', '.join(names[:shown])}{', …' if len(names) > shown else ''}"
        for what, names in groups.items()
        if names
    )


def _title(network: nn.Module) -> str:
    config = getattr(network, "config", None)
    return f"image encoder {config.image_encoder}" if config else type(network).__name__
