"""The device to compute on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


def choose_device(device: str | torch.device = "auto", local_rank: int | None = None) -> torch.device:
    """auto: the first of cuda, mps and cpu that this machine has; otherwise the name of a torch device.

    local_rank: the number of this process on its machine, if several work together: each uses a different GPU unless
    the device names one. Raises ValueError if a device is not available, or if there are too few GPUs.
    """
    has_mps, num_gpus = torch.backends.mps.is_available(), torch.cuda.device_count()
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    try:
        chosen = torch.device(device)
        there = {"cpu": True, "mps": has_mps, "cuda": (chosen.index or 0) < num_gpus}.get(chosen.type, False)
    except RuntimeError:  # torch does not know this name
        there = False
    if not there:
        raise ValueError(f"device={device} is not on this machine: expected auto, cpu, cuda, cuda:1, … or mps")
    if chosen.type != "cuda" or chosen.index is not None or local_rank is None:
        return chosen
    if local_rank >= num_gpus:
        raise ValueError(
            f"process {local_rank} on this machine needs its own GPU, but there are {num_gpus}: "
            "start fewer processes (--nproc_per_node), or use device=cpu"
        )
    return torch.device("cuda", local_rank)


@contextmanager
def float32_products(tf32: bool) -> Iterator[None]:
    """Decides how NVIDIA GPUs multiply float32 numbers inside the block, whatever was set before.

    PyTorch's own default is TF32 (10 bits of mantissa, as in float16) for convolutions and float32 for everything else.

    Args:
        tf32: TF32 for both convolutions and matrix products, if the GPU has it. False: all 23 bits everywhere.
    """
    places = _tf32_switches()
    before = [getattr(place, name) for place, name, _ in places]
    try:
        for place, name, values in places:
            setattr(place, name, values[tf32])
        yield
    finally:
        for (place, name, _), value in zip(places, before, strict=True):
            setattr(place, name, value)


def _tf32_switches() -> list[tuple[Any, str, tuple[Any, Any]]]:
    """Where PyTorch keeps the choice for matrix products and convolutions: object, attribute, values for off and on."""
    cudnn: Any = torch.backends.cudnn
    matmul = (torch.backends.cuda.matmul, "allow_tf32", (False, True))
    try:
        _ = cudnn.allow_tf32
    except RuntimeError:  # the caller has different settings for convolutions and recurrent layers
        return [matmul, (cudnn.conv, "fp32_precision", ("ieee", "tf32"))]
    return [matmul, (cudnn, "allow_tf32", (False, True))]
