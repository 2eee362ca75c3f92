"""Writing predicted masks from threads of their own, so that the network does not wait for the disk."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from livos.files.atomic import clear_leftovers
from livos.masks.label_maps import LabelCoding, write_labels

Labels = npt.NDArray[np.integer]


class MaskWriter:
    """Writes the masks of one video as `<directory>/<frame>.png`; each is complete when it has its name.

    Used as `with MaskWriter(directory, coding) as writer: writer.write(name, labels)`. Why a mask could not be written
    (OSError or ValueError, naming the file, or whatever a function that was to return labels raised) is raised by the
    next `write` or by `close`, and nothing more is written.
    At most `max_pending` masks wait in memory; then `write` waits, too.
    """

    def __init__(self, directory: Path, coding: LabelCoding, num_threads: int = 2, max_pending: int = 16) -> None:
        self.directory, self.coding = Path(directory), coding
        self.directory.mkdir(parents=True, exist_ok=True)
        clear_leftovers(self.directory)
        self._threads = ThreadPoolExecutor(num_threads, thread_name_prefix="mask-writer")
        self._room = threading.Semaphore(max_pending)
        self._error: Exception | None = None

    def write(self, name: str, labels: Labels | Callable[[], Labels]) -> None:
        """Has (H, W) labels written as the mask of the frame `name`. They must not be changed afterwards.

        A function that returns the labels is called in the thread that writes.
        """
        self._raise_error()
        self._room.acquire()
        self._threads.submit(self._write, self.directory / f"{name}.png", labels)

    def close(self) -> None:
        """Returns when everything is written, or raises why it is not. May be called twice."""
        self._threads.shutdown(wait=True)
        self._raise_error()

    def __enter__(self) -> "MaskWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=error is not None)
        if error is None:
            self._raise_error()

    def _write(self, path: Path, labels: Labels | Callable[[], Labels]) -> None:
        try:
            if self._error is None:
                write_labels(path, labels() if callable(labels) else labels, self.coding)
        except Exception as error:  # raised again by `write` and `close`
            self._error = error
        finally:
            self._room.release()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error


def missing_masks(directory: Path, names: Iterable[str]) -> list[str]:
    """The frames whose mask is not in the folder yet; none: the video is complete."""
    there = {path.name for path in Path(directory).glob("*.png")}
    return [name for name in names if f"{name}.png" not in there]
