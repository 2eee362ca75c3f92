"""Weights from files: released ones, our own training's, safetensors; and what to say when they do not fit."""

import pickle
import zipfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from livos.files.atomic import written_aside

Network = TypeVar("Network", bound=nn.Module)

STANDARD_SHORT_SIDE = 480
"""Short side in pixels at which weights work whose file says nothing of it, as the released ones."""

SHORT_SIDE_KEY = "short_side"
"""Of the metadata of .safetensors files."""

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


def save_weights(network: nn.Module, path: str | PathLike, half: bool = False, short_side: int | None = None) -> None:
    """Writes a plain state dict (.pth) or .safetensors, complete or not at all.

    Args:
        network: whose weights to write.
        path: the file, replaced if it is there.
        half: floats as float16.
        short_side: that of the frames, in pixels, at which the weights work best; `best_short_side` gives it back. Only
            .safetensors can say it.

    Raises:
        ValueError: if short_side is given for a .pth, or below 1.
    """
    path = Path(path)
    metadata = {}
    if short_side is not None:
        if path.suffix != ".safetensors" or short_side < 1:
            raise ValueError(f"{path}: short_side={short_side} needs a .safetensors file and a positive number")
        metadata[SHORT_SIDE_KEY] = str(short_side)
    state = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    with written_aside(path) as aside:
        if aside.suffix == ".safetensors":
            save_file(state, aside, metadata)
        else:
            torch.save(state, aside)


def read_weights(path: str | PathLike) -> dict[str, Any]:
    """The content of a weights file, on the CPU."""
    path = Path(path)
    if not path.is_file():
        raise _no_weights_at(path)
    with path.open("rb") as file:
        head = file.read(512).lstrip().lower()
    if head.startswith((b"<!doctype", b"<html")):
        raise ValueError(f"{path} is a web page, not weights: the download was refused. Delete it and download again")
    try:
        return load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (pickle.UnpicklingError, SafetensorError, zipfile.BadZipFile, EOFError, RuntimeError) as error:
        size = path.stat().st_size
        raise ValueError(f"{path} ({size:,} bytes) is no readable checkpoint, perhaps cut short: {error}") from error


def best_short_side(path: str | PathLike) -> int:
    """The short side in pixels at which the weights in a file work best: what it says, else 480.

    Commands and `VideoSegmenter` work at it where nobody asks for another size.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no readable .safetensors file, or says something else than a positive number.
    """
    said = weights_metadata(path).get(SHORT_SIDE_KEY, str(STANDARD_SHORT_SIDE))
    if not said.isdecimal() or int(said) < 1:
        raise ValueError(f"{path}: its metadata says {SHORT_SIDE_KEY}={said!r}, expected a positive number of pixels")
    return int(said)


def weights_metadata(path: str | PathLike) -> dict[str, str]:
    """What a .safetensors file says about its weights; nothing for any other file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is called .safetensors and is none.
    """
    path = Path(path)
    if not path.is_file():
        raise _no_weights_at(path)
    if path.suffix != ".safetensors":
        return {}
    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is no readable .safetensors file, perhaps cut short: {error}") from error


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


def _no_weights_at(path: Path) -> FileNotFoundError:
    found = sorted(p.name for p in path.parent.glob("*.*") if p.suffix in (".pth", ".pt", ".safetensors"))
    return FileNotFoundError(
        f"no weights at {path} (in its folder: {', '.join(found) or 'none'}). `python download.py` fetches the "
        "released weights; weights/livos-lite.safetensors comes with the repository (model=lite)"
    )


def _title(network: nn.Module) -> str:
    config = getattr(network, "config", None)
    return f"image encoder {config.image_encoder}" if config else type(network).__name__
