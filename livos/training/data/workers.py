"""Batches prepared by worker processes. Errors arrive as they were raised, and no worker outlives the loop."""

import gc
import logging
import multiprocessing
import signal
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import cv2
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from livos.files.tensor_files import first_line
from livos.interruptions import SIGNALS, end_with_parent

log = logging.getLogger(__name__)

_SECONDS_TO_DIE = 2.0


@dataclass(frozen=True)
class Failure:
    """What a worker sends instead of a sample that it could not make."""

    error: ValueError | OSError
    traceback: str


class FailuresAsSamples(Dataset):
    """The samples of a dataset, with a Failure for each that raises ValueError or OSError.

    torch would send the text of a worker's traceback instead of the error message.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __getitem__(self, index: int) -> Any:
        try:
            return self.dataset[index]
        except (ValueError, OSError) as error:
            return Failure(error, traceback.format_exc())


@dataclass(frozen=True)
class CollateOrFail:
    """Makes a batch of samples, or returns the first Failure among them."""

    collate: Callable[[Sequence[Any]], Any]

    def __call__(self, samples: Sequence[Any]) -> Any:
        failure = next((sample for sample in samples if isinstance(sample, Failure)), None)
        return failure or self.collate(samples)


class ClipLoader:
    """An iterable of batches, prepared by `num_workers` processes (0: by this one).

    The workers end when the iterator is exhausted or closed, when it raises, and when this process is gone. They ignore
    signals that tell programs to stop. Iterating raises the ValueError or OSError of the dataset, and ChildProcessError
    if a worker has died.

    Args:
        batch_sampler: Lists of the dataset's indices, one for each batch.
        prefetch: The number of batches that each worker keeps ready.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_sampler: Sampler[list[int]],
        collate: Callable[[Sequence[Any]], Any],
        num_workers: int = 0,
        prefetch: int = 2,
        pin_memory: bool = False,
    ) -> None:
        self.batch_sampler, self.num_workers = batch_sampler, num_workers
        self._loader = DataLoader(
            FailuresAsSamples(dataset),
            batch_sampler=batch_sampler,
            collate_fn=CollateOrFail(collate),
            num_workers=num_workers,
            prefetch_factor=prefetch if num_workers else None,
            worker_init_fn=_begin_worker,
            pin_memory=pin_memory,
            generator=torch.Generator(),  # so that the loader does not draw its unused number from the global one
        )

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Generator[Any, None, None]:
        others = set(multiprocessing.active_children())
        gc.collect()  # here, not in a forked worker, where waiting for threads (of PyAV's frames) would never end
        batches = iter(self._loader)
        workers = set(multiprocessing.active_children()) - others
        try:
            for batch in batches:
                if isinstance(batch, Failure):
                    log.debug("in a process that prepares clips:\n%s", batch.traceback)
                    raise batch.error
                yield batch
        except (RuntimeError, EOFError, ConnectionError) as error:
            if workers and _any_died(workers):
                raise _worker_died(error) from error
            raise
        finally:
            _end(batches, workers)


def raise_if_a_worker_died(error: RuntimeError) -> None:
    """Raises ChildProcessError if torch reports that a worker died, which can happen at any time."""
    if "DataLoader worker" in str(error):
        raise _worker_died(error) from error


def _worker_died(error: Exception) -> ChildProcessError:
    said = first_line(error)
    return ChildProcessError(
        f"a process that prepares clips was killed ({said}). If memory is short, use fewer of them: num_workers"
    )


def _any_died(workers: set[multiprocessing.process.BaseProcess]) -> bool:
    """Whether one of the workers has ended, or is just ending: its connection breaks a moment before."""
    deadline = time.monotonic() + _SECONDS_TO_DIE
    while time.monotonic() < deadline:
        if any(not worker.is_alive() for worker in workers):
            return True
        time.sleep(0.02)
    return False


def _begin_worker(worker: int) -> None:
    """Sets up a worker: one thread, and no reaction to signals, since the main process ends its workers."""
    cv2.setNumThreads(0)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    end_with_parent()


def _end(batches: Iterator[Any], workers: set[multiprocessing.process.BaseProcess]) -> None:
    """Ends the workers now. torch itself would wait until nothing refers to the iterator, but a traceback does."""
    if workers:
        with suppress(RuntimeError):  # a worker that died
            batches._shutdown_workers()  # type: ignore[attr-defined]
    for worker in workers:
        if worker.is_alive():
            worker.kill()
            worker.join()
