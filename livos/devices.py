"""Which device to compute on."""

import torch


def choose_device(device: str | torch.device = "auto", local_rank: int | None = None) -> torch.device:
    """auto: the first of cuda, mps and cpu that this machine has; else a name as torch knows it.

    local_rank: the number of this process on its machine, where several work together: each takes a GPU of its own if
    the device does not name one. Raises ValueError for a device that is not there, or if there are too few GPUs.
    """
    has_mps, num_gpus = torch.backends.mps.is_available(), torch.cuda.device_count()
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    try:
        chosen = torch.device(device)
        there = {"cpu": True, "mps": has_mps, "cuda": (chosen.index or 0) < num_gpus}.get(chosen.type, False)
    except RuntimeError:  # torch knows no device of that name
        there = False
    if not there:
        raise ValueError(f"device={device} is not on this machine: expected auto, cpu, cuda, cuda:1, … or mps")
    if chosen.type != "cuda" or chosen.index is not None or local_rank is None:
        return chosen
    if local_rank >= num_gpus:
        raise ValueError(
            f"process {local_rank} of this machine needs a GPU of its own, but there are {num_gpus}: "
            "start fewer processes (--nproc_per_node), or take device=cpu"
        )
    return torch.device("cuda", local_rank)
