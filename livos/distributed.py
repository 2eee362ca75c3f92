"""The rank and device of this process, and the exchange between processes.

Everything also works in a plain `python` process: then there is only one, and nothing is exchanged. Under torchrun, the
processes communicate through NCCL on GPUs and through gloo on the CPU.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

from livos.devices import choose_device

Item = TypeVar("Item")

# Processes wait for one another at most this long: validation divides videos among them, and videos differ in length.
PATIENCE = timedelta(hours=1)


@dataclass(frozen=True)
class Process:
    """One of the processes that work together."""

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        return self.rank == 0


@contextmanager
def joined_processes(device: str = "auto", patience: timedelta = PATIENCE) -> Iterator[Process]:
    """Joins the other processes that torchrun started, if any, and leaves them at the end.

    Args:
        device: auto (a GPU for each process if there are some, otherwise mps or cpu), cpu, cuda, cuda:1 or mps.
        patience: How long one process waits for the others.

    Raises:
        ConnectionError: If another process is gone.
    """
    rank, world_size = rank_of_this_process(), int(os.environ.get("WORLD_SIZE", 1))
    process = Process(rank, world_size, choose_device(device, int(os.environ.get("LOCAL_RANK", 0))))
    if process.device.type == "cuda":
        torch.cuda.set_device(process.device)
    if not process.is_main:
        logging.getLogger("livos").setLevel(logging.ERROR)
    if world_size == 1:
        yield process
        return
    nccl = process.device.type == "cuda" and dist.is_nccl_available()
    store, _, _ = next(rendezvous("env://", rank, world_size, timeout=patience))
    # After a restart torchrun's store may still hold the addresses of processes that have ended (torch 2.15).
    store = dist.PrefixStore(f"restart_{num_restarts()}", store)
    backend = "nccl" if nccl else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=world_size, timeout=patience)
    try:
        yield process
    except RuntimeError as error:
        if says_that_a_process_is_gone(error):
            raise ConnectionError(f"another process of this job is gone ({str(error).splitlines()[0]})") from error
        raise
    dist.destroy_process_group()  # after an error it might wait for processes that are gone


def says_that_a_process_is_gone(error: RuntimeError) -> bool:
    """Whether gloo or NCCL has lost its connection to another process."""
    signs = ("closed by peer", "reset by peer", "Broken pipe", "Connection refused")
    return isinstance(error, dist.DistError) or any(sign in str(error) for sign in signs)


def rank_of_this_process() -> int:
    """The number of this process among those that work together; 0 if it is the only one."""
    return int(os.environ.get("RANK", 0))


def num_restarts() -> int:
    """How often torchrun has restarted these processes after one of them failed."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))


def is_shared() -> bool:
    """Whether several processes work together."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def any_process(*flags: bool, device: torch.device) -> list[bool]:
    """For each flag, whether it is set on any process."""
    if not is_shared():
        return list(flags)  # the GPU need not be asked
    values = torch.tensor(flags, dtype=torch.int32, device=device)
    dist.all_reduce(values, dist.ReduceOp.MAX)
    return [bool(value) for value in values.tolist()]


def mean(values: torch.Tensor) -> torch.Tensor:
    """The mean over the processes, element by element."""
    if is_shared():
        dist.all_reduce(values, dist.ReduceOp.SUM)
        values /= dist.get_world_size()
    return values


def gather(value: Any) -> list[Any]:
    """The values of all processes, in order of rank, on every process. The values must be picklable."""
    if not is_shared():
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values


def shared_out(items: Sequence[Item], work: Callable[[Item], float], process: Process) -> list[Item]:
    """This process's share of the items: the largest are assigned first, each to the process with the least work."""
    loads, mine = [0.0] * process.world_size, set()
    for place in sorted(range(len(items)), key=lambda place: work(items[place]), reverse=True):
        rank = loads.index(min(loads))
        loads[rank] += work(items[place])
        if rank == process.rank:
            mine.add(place)
    return [item for place, item in enumerate(items) if place in mine]


def from_main(value: Any) -> Any:
    """The main process's value, on every process."""
    return gather(value)[0]
