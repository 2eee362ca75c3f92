"""A backward pass and batches for tensors on a pretended GPU (livos/segmenter/dry_run.py).

PyTorch's own engine asks the GPU's driver for streams before it starts, so it refuses fake tensors on a machine without
one. The functions that it would call are there all the same: this engine calls them one by one.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

from livos.segmenter.dry_run import NoWaiting, pretended_gpu
from livos.training.data.augmentation import Colour
from livos.training.data.loaders import ClipBatch


@contextmanager
def pretended_training(num_objects: list[int]) -> Iterator[None]:
    """Inside, `backward` works on the pretended GPU, and the CPU knows the numbers of objects but may not wait.

    Args:
        num_objects: What the CPU reads from a tensor of its own, of which there is only this one in a step.
    """

    def read(x: Tensor) -> list[int]:
        if x.device.type != "cpu":
            raise RuntimeError(f"numbers {tuple(x.shape)} are read from the GPU: the CPU would wait for it")
        return num_objects

    with (
        pretended_gpu(),
        mock.patch("torch.autograd.backward", backward),
        mock.patch("torch._C._current_graph_task_id", lambda: 1),  # one pass; otherwise each tensor is recomputed alone
        mock.patch("livos.training.step.point_generator", return_value=None),  # a generator needs the driver
        mock.patch.object(FakeTensor, "tolist", read),
        NoWaiting(),
    ):
        yield


def pretended_batch(num_clips: int, num_frames: int, size: tuple[int, int]) -> ClipBatch:
    """A batch as the loader makes it, on the CPU."""
    return ClipBatch(
        images=torch.empty(num_clips, num_frames, 3, *size, dtype=torch.uint8),
        labels=torch.empty(num_clips, num_frames, *size, dtype=torch.uint8),
        num_objects=torch.empty(num_clips, dtype=torch.int64),
        colour=Colour(torch.empty(num_clips, num_frames, 3, 3), torch.empty(num_clips, num_frames, 3, 3)),
        names=["clip"] * num_clips,
    )


@torch.no_grad()
def backward(result: Tensor, gradient: Tensor | None = None, *_: Any, **__: Any) -> None:
    """Adds the gradients of `result` to those of the weights that it depends on, as `torch.autograd.backward` does."""
    assert result.grad_fn is not None
    missing = uses_of_each_function(result.grad_fn)
    gradients = {result.grad_fn: {0: torch.ones_like(result) if gradient is None else gradient}}
    ready = [result.grad_fn]
    while ready:
        function = ready.pop()
        given = gradients.pop(function, {})
        results = call(function, [given.get(i) for i in range(len(function._input_metadata))])
        for (following, slot), x in zip(function.next_functions, results, strict=True):
            if following is None:
                continue
            if x is not None:
                sums = gradients.setdefault(following, {})
                x = as_expected(x, following._input_metadata[slot])
                sums[slot] = sums[slot] + x if slot in sums else x
            missing[following] -= 1
            if missing[following] == 0:
                ready.append(following)


def uses_of_each_function(last: Any) -> Counter:
    """How many gradients each function of the graph waits for."""
    uses: Counter = Counter()
    waiting = [last]
    while waiting:
        for following, _ in waiting.pop().next_functions:
            if following is not None:
                if following not in uses:
                    waiting.append(following)
                uses[following] += 1
    return uses


def call(function: Any, gradients: list[Tensor | None]) -> tuple[Tensor | None, ...]:
    """The gradients of a function's inputs, given those of its results; a weight keeps what it is given."""
    if hasattr(function, "variable"):
        weight, gradient = function.variable, gradients[0]
        if gradient is not None:
            weight.grad = gradient.detach() if weight.grad is None else weight.grad + gradient
        return ()
    if callable(function):
        results = function(*gradients)
    else:  # written in Python: there, missing gradients are zeros
        pairs = zip(gradients, function._input_metadata, strict=True)
        results = function.apply(*(zeros_like(expected) if x is None else x for x, expected in pairs))
    return results if isinstance(results, tuple) else (results,)


def zeros_like(expected: Any) -> Tensor:
    return torch.zeros(tuple(expected.shape), dtype=expected.dtype, device=expected.device)


def as_expected(gradient: Tensor, expected: Any) -> Tensor:
    """The gradient, summed over broadcast axes and in the type of its tensor, as PyTorch's engine passes it on."""
    if gradient.device != expected.device:
        raise RuntimeError(f"a gradient is on the wrong device: {gradient.device} instead of {expected.device}")
    return gradient.sum_to_size(tuple(expected.shape)).to(expected.dtype)
