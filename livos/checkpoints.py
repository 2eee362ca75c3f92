"""Weights from files: released ones, those of our own training, safetensors; and what to say if they do not fit."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from livos.files.checksums import refuse_other_content
from livos.files.tensor_files import load_tensors, save_tensors, tensor_metadata

Network = TypeVar("Network", bound=nn.Module)

STANDARD_SHORT_SIDE = 480
"""The short side in pixels for weights whose file does not specify one, such as the released ones."""

SHORT_SIDE_KEY = "short_side"
"""In the metadata of .safetensors files: the short side, in pixels, at which their weights work best."""

CONFIDENCE_KEY = "confidence"
"""In the same metadata: the coefficients of `livos.segmenter.confidence.ConfidenceModel`."""

DERIVED = ("inv_freq",)  # entries given by a fixed formula; they may be missing

HOLDERS = (
    *("average", "ema", "model_ema", "ema_state_dict", "params_ema"),  # averaged weights first
    *("network", "model", "net", "state_dict", "model_state_dict", "weights", "params"),
)
"""The keys under which a training checkpoint may hold the network's weights."""

PREFIXES = ("module.", "model.", "network.", "net.")
"""Prefixes that wrappers add to names: DDP and torch's AveragedModel, Lightning, and many other programs. Compiled
modules have `_orig_mod.` anywhere in their names."""


def load_weights(network: Network, source: str | PathLike | Mapping[str, Tensor]) -> Network:
    """Puts weights into a network.

    Args:
        network: The network, which is changed in place.
        source: A released state dict (.pth), a checkpoint of `livos train` (its averaged weights, if it has them) or
            of many other programs, a .safetensors file, or a dict of tensors. Half-precision weights become float32.
            The metadata of a file is put into `network.notes`, if the network has that attribute.

    Returns:
        The same network.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not a checkpoint, if it does not fit (the message says why), or if it contains
            numbers that are not finite.
    """
    name = "the given weights" if isinstance(source, Mapping) else str(source)
    weights = upgrade(source, name) if isinstance(source, Mapping) else read_state_dict(source)
    complaint = misfits(network, weights)
    if complaint:
        raise ValueError(f"{name} does not fit this network ({_title(network)}):\n{complaint}")
    own = network.state_dict()
    weights = {entry: x.to(own[entry].dtype) for entry, x in weights.items()}
    if endless := [entry for entry, x in weights.items() if not x.isfinite().all()]:
        raise ValueError(
            f"{name} contains NaN or infinity in {_some(endless)}: its training went wrong, or the file is damaged"
        )
    network.load_state_dict(weights, strict=False)
    notes: Mapping[str, str] = {} if isinstance(source, Mapping) else weights_metadata(source)
    if hasattr(network, "notes"):
        network.notes = notes  # type: ignore[assignment]
    return network


def save_weights(network: nn.Module, path: str | PathLike, half: bool = False, short_side: int | None = None) -> None:
    """Writes the weights of a network as a plain state dict (.pth) or as .safetensors, atomically.

    Args:
        network: The network whose weights are written.
        path: The file. An existing file is replaced.
        half: Write floating-point numbers as float16.
        short_side: Short side of the frames, in pixels, at which the weights work best. `load_model` reads it, and
            `VideoSegmenter` then works at this size. Only .safetensors files can store it. By default it is taken from
            `network.notes`, which are written as well.

    Raises:
        ValueError: If `short_side` is given for a .pth file, or is below 1.
    """
    path = Path(path)
    metadata = dict(getattr(network, "notes", {}))
    if short_side is not None:
        if path.suffix != ".safetensors" or short_side < 1:
            raise ValueError(f"{path}: short_side={short_side} needs a .safetensors file and a positive number")
        metadata[SHORT_SIDE_KEY] = str(short_side)
    state = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    save_tensors(state, path, metadata)


def read_state_dict(path: str | PathLike) -> dict[str, Tensor]:
    """The network's state dict from a weights file. Raises like `read_weights` and `upgrade`."""
    return upgrade(read_weights(path), str(path))


def read_weights(path: str | PathLike) -> dict[str, Any]:
    """The content of a weights file, on the CPU.

    Raises FileNotFoundError if there is none, and ValueError if the file is of another kind, is damaged, or does not
    match the SHA-256 recorded in the checksums.txt of its folder.
    """
    path = Path(path)
    if not path.is_file():
        raise _no_weights_at(path)
    content = load_tensors(path)
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise ValueError(f"{path} contains {_kind(content)}, not a network's weights by name")
    refuse_other_content(path)
    return content


def best_short_side(path: str | PathLike) -> int:
    """The short side in pixels at which the weights in a file work best, from the file; otherwise 480.

    It is the default size of commands and `VideoSegmenter`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is a damaged .safetensors file, or its short side is not a positive number.
    """
    said = weights_metadata(path).get(SHORT_SIDE_KEY, str(STANDARD_SHORT_SIDE))
    if not said.isdecimal() or int(said) < 1:
        raise ValueError(f"{path}: its metadata says {SHORT_SIDE_KEY}={said!r}, expected a positive number of pixels")
    return int(said)


def weights_metadata(path: str | PathLike) -> dict[str, str]:
    """What a .safetensors file says about its weights; empty for any other file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is a damaged .safetensors file.
    """
    path = Path(path)
    if not path.is_file():
        raise _no_weights_at(path)
    return tensor_metadata(path)


def upgrade(content: Mapping[str, Any], source: str = "the given weights") -> dict[str, Tensor]:
    """The network's state dict from whatever contains it: a training checkpoint, or names with a wrapper's prefix.

    Raises ValueError, naming the source, if it contains anything but tensors, or an entry twice.
    """
    state = _state_dict_in(content)
    if state is None:
        strangers = [f"{name} ({_kind(x)})" for name, x in content.items() if not isinstance(x, Tensor)]
        raise ValueError(f"{source} does not contain a network's state dict, but {_some(strangers) or 'nothing'}")
    weights: dict[str, Tensor] = {}
    for name, x in state.items():
        entry = _own_name(name)
        if entry in weights:
            raise ValueError(f"{source} contains {entry} twice, with and without a prefix such as {PREFIXES[0]}")
        weights[entry] = x
    weights.pop("n_averaged", None)  # bookkeeping of torch's AveragedModel
    return weights


def _state_dict_in(content: Mapping[str, Any], depth: int = 3) -> Mapping[str, Tensor] | None:
    """The content itself, if it contains only tensors by name, or the first such part of it."""
    if content and all(isinstance(name, str) and isinstance(x, Tensor) for name, x in content.items()):
        return content
    parts = [content[key] for key in HOLDERS if isinstance(content.get(key), Mapping)] if depth else []
    return next((found for part in parts if (found := _state_dict_in(part, depth - 1)) is not None), None)


def _own_name(name: str) -> str:
    """The name without what wrappers have added to it."""
    name = name.replace("_orig_mod.", "")
    while prefix := next((prefix for prefix in PREFIXES if name.startswith(prefix)), None):
        name = name.removeprefix(prefix)
    return name


def misfits(network: nn.Module, weights: Mapping[str, Tensor], shown: int = 5) -> str:
    """Why weights do not fit, line by line; empty if they fit."""
    own = network.state_dict()
    missing = [n for n in own if n not in weights and not n.endswith(DERIVED)]
    unknown = [n for n in weights if n not in own]
    shapes = [
        f"{n} {tuple(weights[n].shape)} instead of {tuple(own[n].shape)}"
        for n in own
        if n in weights and weights[n].shape != own[n].shape
    ]
    kinds = [
        f"{n} {weights[n].dtype} instead of {own[n].dtype}".replace("torch.", "")
        for n in own
        if n in weights and not _is_of_kind(weights[n], own[n])
    ]
    groups = {
        "not in the file": missing,
        "not in the network": unknown,
        "of another shape": shapes,
        "of another kind": kinds,
    }
    return "\n".join(f"  {len(names)} {what}: {_some(names, shown)}" for what, names in groups.items() if names)


def _is_of_kind(x: Tensor, own: Tensor) -> bool:
    """Whether a tensor can replace `own`: floating point or integer like it, and plain."""
    plain = x.layout == torch.strided and not x.is_quantized and not x.is_complex() and x.dtype != torch.bool
    return plain and x.is_floating_point() == own.is_floating_point()


def _some(names: Sequence[str], shown: int = 5) -> str:
    return ", ".join(names[:shown]) + (", …" if len(names) > shown else "")


def _kind(value: Any) -> str:
    """What a value is, in words for users."""
    shape = f" of shape {tuple(value.shape)}" if isinstance(value, Tensor) else ""
    return f"a {type(value).__name__}{shape}"


def _title(network: nn.Module) -> str:
    config = getattr(network, "config", None)
    return f"image encoder {config.image_encoder}" if config else type(network).__name__


def _no_weights_at(path: Path) -> FileNotFoundError:
    found = sorted(p.name for p in path.parent.glob("*.*") if p.suffix in (".pth", ".pt", ".safetensors"))
    return FileNotFoundError(
        f"no weights at {path} (in its folder: {', '.join(found) or 'none'}). `livos download` fetches the "
        "released weights; weights/livos-lite.safetensors comes with the repository (model=lite)"
    )
