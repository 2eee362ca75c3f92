"""How the network computes while it trains: batch normalisation, memory layout, recomputed activations, processes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from types import MethodType
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from livos.config.schema import TrainConfig
from livos.distributed import Process
from livos.model.network import LiVOS


def prepare_network(network: LiVOS, config: TrainConfig, process: Process) -> LiVOS:
    """The network, set up according to `config`, on the process's device.

    Raises:
        ValueError: If batch_norm is sync without GPUs.
    """
    if config.batch_norm == "sync" and process.device.type != "cuda":
        raise ValueError(f"batch_norm=sync needs GPUs, but this process trains on {process.device}")
    if config.batch_norm == "sync":
        from timm.layers import convert_sync_batchnorm  # slow to import; also handles timm's own layers

        network = convert_sync_batchnorm(network)
    if config.channels_last:
        network = network.to(memory_format=torch.channels_last)
    network = network.to(process.device)
    if config.compile:
        network.compile_parts()
    if config.activation_checkpointing:
        recompute_activations(network)
    return network


def shared_network(network: nn.Module, process: Process) -> nn.Module:
    """The network, wrapped so that backward averages its gradients over the processes, if there are several."""
    if process.world_size == 1:
        return network
    device_ids = [process.device] if process.device.type == "cuda" else None
    return DistributedDataParallel(network, device_ids=device_ids)


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def to_training_mode(network: nn.Module, batch_norm: str) -> None:
    """Sets training mode; frozen batch normalisation keeps using its running statistics."""
    network.train()
    if batch_norm == "frozen":
        for module in batch_norms(network):
            module.eval()


@contextmanager
def evaluating(network: nn.Module, batch_norm: str) -> Iterator[None]:
    """Evaluation mode without gradients in a block, then training mode again."""
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        to_training_mode(network, batch_norm)


def recompute_activations(network: nn.Module) -> None:
    """Makes the network keep only what passes between frames, and recompute the rest in the backward pass.

    Replaces the methods encode, segment and remember of this network (bound, so that copies of it get their own).
    """
    for name in ("encode", "segment", "remember"):
        setattr(network, name, MethodType(recomputed(getattr(type(network), name)), network))


def recomputed(method: Callable) -> Callable:
    """The method, with its activations recomputed if there are gradients."""

    @wraps(method)
    def call(network: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return method(network, *args, **kwargs)
        norms = batch_norms(network)

        def contexts() -> tuple[AbstractContextManager, AbstractContextManager]:
            return nullcontext(), unchanged_statistics(norms)

        return checkpoint(method, network, *args, use_reentrant=False, context_fn=contexts, **kwargs)

    return call


@contextmanager
def unchanged_statistics(norms: list[_BatchNorm]) -> Iterator[None]:
    """Computes as in training, but running statistics stay fixed, so that a recomputed frame counts once."""
    kept = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, kept, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count
