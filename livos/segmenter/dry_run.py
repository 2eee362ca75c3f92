"""Finds out without a GPU what a segmenter would do on one: every operation is traced, none is computed.

PyTorch's fake tensors have a shape, type and device but hold no numbers. They reveal a tensor on the wrong device, an
unintended type, a step that waits for the GPU, and how much memory is in use at each moment.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from livos.model.network import LiVOS
from livos.segmenter.segmenter import VideoSegmenter

CUDA = torch.device("cuda", 0)
_BLOCK = 512  # bytes; PyTorch's allocator rounds up to it


@contextmanager
def pretended_gpu() -> Iterator[FakeTensorMode]:
    """Inside, tensors are fake, and autocast works on `cuda` without a GPU. Weights must be made outside."""
    with (
        mock.patch("torch.cuda.amp.common.amp_definitely_not_available", return_value=False),
        mock.patch("torch.amp.autocast_mode.torch.cuda.amp.common.amp_definitely_not_available", return_value=False),
        mock.patch("torch.cuda.is_bf16_supported", return_value=True),
        FakeTensorMode(allow_non_fake_inputs=False) as mode,
    ):
        yield mode


def segmenter_on_pretended_gpu(network: LiVOS, **settings: Any) -> VideoSegmenter:
    """A segmenter as it would be on a GPU. Call it before `pretended_gpu`, and `move` its network inside."""
    with (
        mock.patch("livos.segmenter.segmenter.choose_device", return_value=CUDA),
        mock.patch.object(LiVOS, "to", lambda self, *arguments, **more: self),
    ):
        return VideoSegmenter(network, device="cuda", **settings)


def move(module: nn.Module) -> None:
    """Replaces a module's weights by fake ones on the GPU. Call it inside `pretended_gpu`."""
    for part in module.modules():
        for name, weight in list(part.named_parameters(recurse=False)):
            setattr(part, name, nn.Parameter(_like(weight), requires_grad=weight.requires_grad))
        for name, buffer in list(part.named_buffers(recurse=False)):
            part._buffers[name] = _like(buffer)


def _like(x: Tensor) -> Tensor:
    return torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device=CUDA)


class NoWaiting(TorchDispatchMode):
    """Raises RuntimeError where an operation would make the CPU wait for the GPU."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        on_gpu = any(isinstance(x, Tensor) and x.device.type == "cuda" for x in tree_leaves((args, kwargs)))
        to_host = any(isinstance(x, Tensor) and x.device.type == "cpu" for x in tree_leaves(result))
        if on_gpu and to_host:
            raise RuntimeError(f"{func} copies data from the GPU: the CPU would wait for it")
        return result


@dataclass
class MemoryMeter(TorchDispatchMode):
    """Follows every block of GPU memory: how much is in use, and the peak."""

    in_use: int = 0
    peak: int = 0
    largest: list[tuple[int, str]] = field(default_factory=list)  # at the peak: bytes, operation and shape
    _blocks: dict[int, tuple[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for x in tree_leaves(result):
            if isinstance(x, Tensor):
                self.note(x, str(func))
        return result

    def note(self, x: Tensor, origin: str) -> None:
        """Counts the memory of a tensor, unless it shares that of another."""
        storage = x.untyped_storage()
        if x.device.type != "cuda" or storage._cdata in self._blocks:
            return
        size = -(-storage.nbytes() // _BLOCK) * _BLOCK
        self._blocks[storage._cdata] = (size, f"{origin} {tuple(x.shape)} {x.dtype}")
        weakref.finalize(storage, self._release, storage._cdata)
        self.in_use += size
        if self.in_use > self.peak:
            self.peak = self.in_use
            self.largest = sorted(self._blocks.values(), reverse=True)[:12]

    def _release(self, address: int) -> None:
        self.in_use -= self._blocks.pop(address)[0]


def measure_step(segmenter: VideoSegmenter, size: tuple[int, int], num_objects: int) -> MemoryMeter:
    """The memory used by the weights and three steps on frames of size (H, W), the first with given masks.

    The segmenter is used up: its weights are fake afterwards.
    """
    with pretended_gpu(), MemoryMeter() as meter:
        move(segmenter.network)  # type: ignore[arg-type]
        image = torch.empty(3, *size, device=CUDA)
        for number in range(3):
            labels = torch.empty(0) if number == 0 else None
            with mock.patch("livos.segmenter.segmenter.GivenMasks", StripedMasks(num_objects)):
                result = segmenter.step(image, labels)
            del result
    return meter


@dataclass
class StripedMasks:
    """Stands in for GivenMasks, whose ids would have to be read from numbers that are not there."""

    num_objects: int
    first_id: int = 1

    def read(self, labels: Tensor, size: tuple[int, int], device: torch.device, absent: Sequence[int] = ()) -> Any:
        from livos.segmenter.object_ids import GivenMasks

        ids = tuple(range(self.first_id, self.first_id + self.num_objects))
        return GivenMasks(torch.empty(size, dtype=torch.int64, device=device), (*ids, *absent))
