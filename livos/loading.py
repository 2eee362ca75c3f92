"""Loads a network with its weights by one name."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from livos.build import build_model, model_names
from livos.checkpoints import best_short_side, load_weights, misfits, read_state_dict
from livos.files.bundled import bundled_dir
from livos.model.network import LiVOS
from livos.released_weights import RELEASED_WEIGHTS, find_released_weights

BUNDLED = {"lite": "livos-lite.safetensors"}
"""Weights that come with LiVOS: the file of each name, whose network has the same name."""


@dataclass(frozen=True)
class FoundWeights:
    """A weights file, and its network if the name reveals it."""

    path: Path
    model: str | None


def load_model(name: str | os.PathLike[str] = "lite", model: str | None = None) -> LiVOS:
    """Loads a network with its weights, in evaluation mode, on the CPU.

    Args:
        name: `lite` (comes with LiVOS), the name of released weights (such as `nomose-480p`; see `weight_names`), or
            the path of a weights file. Released weights are looked for in ./weights, then in the user's cache.
        model: The network that a file is for, one of `model_names()`. By default it is the network that the name
            belongs to, or for other files, the one whose weights have the same names and shapes.

    Returns:
        The network. `VideoSegmenter` takes it.

    Raises:
        FileNotFoundError: If the weights are not on this machine. The message says how to get them.
        ValueError: If the file contains no weights, or those of another network.
    """
    found = find_weights(name)
    network = load_weights(build_model(model or found.model or _fitting_model(found.path)), found.path)
    network.short_side = best_short_side(found.path)
    return network


def find_weights(name: str | os.PathLike[str]) -> FoundWeights:
    """Where the weights of this name, or at this path, are on this machine.

    Raises:
        FileNotFoundError: If they are missing. The message says how to get them.
    """
    if name in BUNDLED:
        return FoundWeights(_first_file([bundled_dir() / "weights" / BUNDLED[str(name)]]), str(name))
    path = Path(name)
    released = next((r for r in RELEASED_WEIGHTS if path.name in (r.name, r.file_name)), None)
    if path.is_file():
        bundled = next((model for model, file_name in BUNDLED.items() if path.name == file_name), None)
        return FoundWeights(path, "base" if released else bundled)
    if released is None or str(name) != released.name:
        known = ", ".join(weight_names())
        raise FileNotFoundError(f"no weights at {path}: expected a file, or one of the names {known}")
    try:
        folders = (Path("weights"), bundled_dir() / "weights", cache_dir())
        return FoundWeights(_first_file([folder / released.file_name for folder in folders]), "base")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}. `livos download {released.name}` fetches it") from None


def weight_names() -> list[str]:
    """Lists the names that `load_model` knows, whether or not their files are on this machine.

    Returns:
        `lite` and the names of the released weights.
    """
    return [*BUNDLED, *(released.name for released in RELEASED_WEIGHTS)]


def default_weights(model: str) -> str | None:
    """The name of the default weights of a network; None if it has none."""
    return {"lite": "lite", "base": find_released_weights("nomose-480p").name}.get(model)


def cache_dir() -> Path:
    """The user's folder for downloaded weights: PyTorch's own, `~/.cache/torch/hub/checkpoints` by default."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def _fitting_model(path: Path) -> str:
    """The named network whose weights have the names and shapes of those in a file."""
    weights = read_state_dict(path)
    for name in model_names():
        with torch.device("meta"):
            fits = not misfits(build_model(name), weights)
        if fits:
            return name
    raise ValueError(
        f"{path} fits none of the networks {', '.join(model_names())}: for a network with custom settings use "
        "load_weights(build_model(…), path), which says what does not fit"
    )


def _first_file(places: list[Path]) -> Path:
    for path in places:
        if path.is_file():
            return path
    raise FileNotFoundError(f"{places[0].name} is not on this machine; tried {', '.join(map(str, places))}")
