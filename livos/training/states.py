"""Checks whether a state from a file matches a part of a run: the same names, shapes and types, and finite."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from livos.training.metrics_log import RunningMean

_OPTIONS = ("lr", "base_lr", "name", "weight_decay", "betas", "eps")  # of AdamW's groups; others depend on the version


def refuse_unlike_state(found: Any, part: Any, name: str) -> None:
    """Raises ValueError, naming what differs, if a part cannot load the state.

    Args:
        found: The state from a file.
        part: A network, optimiser, scaler or RunningMean; its current values do not matter, only their kind.
        name: The name of the part.
    """
    if isinstance(part, torch.optim.Optimizer):
        _refuse_unlike_optimizer(found, part, name)
    elif isinstance(part, RunningMean):
        sums = found.get("sums") if isinstance(found, Mapping) else None
        refuse_unlike(found, {"sums": dict.fromkeys(sums, 0.0) if isinstance(sums, Mapping) else {}, "count": 0}, name)
    else:
        refuse_unlike(found, part.state_dict(), name)


def refuse_unlike(found: Any, own: Any, name: str) -> None:
    """Raises ValueError, naming the entry, if two nested values differ in their keys, lengths, types or shapes, or if a
    number in `found` is not finite. Integers and floats are interchangeable.
    """
    if isinstance(own, Tensor):
        _refuse_unlike_tensor(found, own.shape, own.dtype, name)
    elif isinstance(own, Mapping):
        if not isinstance(found, Mapping) or found.keys() != own.keys():
            raise ValueError(f"{name}: expected {_some(own)}, found {_some(found)}")
        for key in own:
            refuse_unlike(found[key], own[key], f"{name}.{key}")
    elif isinstance(own, (list, tuple)):
        if not isinstance(found, (list, tuple)) or len(found) != len(own):
            raise ValueError(f"{name}: expected {len(own)} values, found {_some(found)}")
        for index, (one, other) in enumerate(zip(found, own, strict=True)):
            refuse_unlike(one, other, f"{name}.{index}")
    elif isinstance(own, (int, float)):
        if not isinstance(found, (int, float)) or not math.isfinite(found):
            raise ValueError(f"{name}: expected a number, found {found!r}"[:300])
    elif type(found) is not type(own):
        raise ValueError(f"{name}: expected a {type(own).__name__}, found a {type(found).__name__}")


def _refuse_unlike_optimizer(found: Any, optimizer: torch.optim.Optimizer, name: str) -> None:
    own = optimizer.state_dict()
    if not isinstance(found, Mapping) or found.keys() != own.keys() or not isinstance(found["state"], Mapping):
        raise ValueError(f"{name}: expected {_some(own)}, found {_some(found)}")
    groups = found["param_groups"]
    if not isinstance(groups, list) or [_parameters(group) for group in groups] != [
        group["params"] for group in own["param_groups"]
    ]:
        raise ValueError(f"{name}.param_groups: not the parameter groups of this run")
    for index, (group, own_group) in enumerate(zip(groups, own["param_groups"], strict=True)):
        found_options, own_options = ({key: options.get(key) for key in _OPTIONS} for options in (group, own_group))
        refuse_unlike(found_options, own_options, f"{name}.param_groups.{index}")
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, state in found["state"].items():
        if not isinstance(index, int) or not 0 <= index < len(parameters) or not isinstance(state, Mapping):
            raise ValueError(f"{name}.state: {index!r} is not a parameter of this run")
        for key in ("exp_avg", "exp_avg_sq"):
            shape = parameters[index].shape
            _refuse_unlike_tensor(state.get(key), shape, parameters[index].dtype, f"{name}.state.{index}.{key}")
        _refuse_unlike_tensor(state.get("step"), torch.Size(), torch.float32, f"{name}.state.{index}.step")


def _parameters(group: Any) -> Any:
    return group.get("params") if isinstance(group, Mapping) else None


def _refuse_unlike_tensor(found: Any, shape: torch.Size, dtype: torch.dtype, name: str) -> None:
    if not isinstance(found, Tensor):
        raise ValueError(f"{name}: expected a tensor, found {_some(found)}")
    if found.shape != shape or found.dtype != dtype or found.layout != torch.strided:
        raise ValueError(f"{name}: expected {dtype} {tuple(shape)}, found {found.dtype} {tuple(found.shape)}")
    if not found.isfinite().all():
        raise ValueError(f"{name}: contains NaN or infinity")


def _some(value: Any) -> str:
    """Describes a value: by its first keys, or its type."""
    if not isinstance(value, (Mapping, set)):
        length = f" of {len(value)}" if isinstance(value, Sequence) else ""
        return f"a {type(value).__name__}{length}"
    names = sorted(str(key)[:50] for key in value)
    return ", ".join(names[:5]) + (f", … ({len(names)})" if len(names) > 5 else "") or "nothing"
