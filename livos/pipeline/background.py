"""Writing behind, so that the network does not wait for encoders and disks; the counterpart of prefetch.py."""

from __future__ import annotations

import queue as queues
import threading
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

Item = TypeVar("Item", contravariant=True)


class Output(Protocol[Item]):
    """A context manager that takes one item after the other."""

    def write(self, item: Item, /) -> None: ...

    def __enter__(self) -> Any: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any: ...


class InBackground(Generic[Item]):
    """An output that works in a thread of its own, at most `depth` items behind.

    An error of it is raised by the next `write`, or at the end of the block.
    """

    def __init__(self, output: Output[Item], depth: int = 4):
        self._output = output
        self._queue: queues.Queue[tuple[Item] | None] = queues.Queue(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=type(output).__name__, daemon=True)

    def write(self, item: Item, /) -> None:
        if self._error is not None:
            raise self._error
        self._queue.put((item,))

    def __enter__(self) -> InBackground[Item]:
        self._output.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._error = error  # what waits in the queue is dropped
        self._queue.put(None)
        self._thread.join()
        self._output.__exit__(None if self._error is None else type(self._error), self._error, trace)
        if error is None and self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (entry := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._output.write(entry[0])
                except Exception as error:  # raised by the next write
                    self._error = error
