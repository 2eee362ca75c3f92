"""Reading ahead and writing behind, each in a thread, so that the network waits for neither decoders nor encoders."""

from __future__ import annotations

import queue as queues
import threading
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")

DEPTH = 4
"""The most items that wait between two threads."""


class Channel(Generic[Item]):
    """A short queue between two threads. Either side may close it, which wakes up the other."""

    def __init__(self, depth: int = DEPTH):
        self._queue: queues.Queue[Item] = queues.Queue(depth)
        self._closed = threading.Event()

    def put(self, item: Item) -> bool:
        """Waits for room. Returns False, without adding the item, once the channel is closed."""
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=0.1)
                return True
            except queues.Full:
                continue
        return False

    def get(self) -> Item:
        """Waits for an item. Raises EOFError once the channel is closed and empty."""
        while True:
            try:
                return self._queue.get(timeout=0.1)
            except queues.Empty:
                if self._closed.is_set() and self._queue.empty():
                    raise EOFError from None

    def close(self) -> None:
        """Accepts no more items. Those inside can still be taken out."""
        self._closed.set()

    def drop(self) -> None:
        """Closes the channel and discards its items."""
        self.close()
        while not self._queue.empty():
            try:
                self._queue.get_nowait()
            except queues.Empty:
                break


def read_ahead(items: Iterable[Item], depth: int = DEPTH) -> Generator[Item, None, None]:
    """The same items, produced by a thread that stays at most `depth` ahead. Its errors are raised here, in turn.

    The thread also ends when the generator is closed: use `with closing(read_ahead(…))` if a loop may be left early.
    """
    channel: Channel[Item] = Channel(depth)
    failure: list[BaseException] = []

    def produce() -> None:
        try:
            for item in items:
                if not channel.put(item):
                    return
        except BaseException as error:  # passed on to the consumer
            failure.append(error)
        finally:
            channel.close()

    thread = threading.Thread(target=produce, name="read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = channel.get()
            except EOFError:
                break
            yield item
    finally:
        channel.drop()
        thread.join()
    if failure:
        raise failure[0]


class Output(ABC, Generic[Item]):
    """Takes one item after the other. Its files get their names when the work succeeds."""

    def open(self, stack: ExitStack) -> None:
        """Prepares. Contexts entered into the stack are exited when the work ends, with the error if there was one."""

    @abstractmethod
    def write(self, item: Item) -> None:
        """Takes the next item."""


class InBackground(Generic[Item]):
    """A context manager around an output, which then works in its own thread, at most `depth` items behind.

    Once `write` has returned for an item, all items up to the one `depth + 1` before it have been written. An error in
    the output is raised by the next `write`, or at the end of the block.
    """

    def __init__(self, output: Output[Item], depth: int = DEPTH):
        self._output, self._stack = output, ExitStack()
        self._channel: Channel[Item] = Channel(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=type(output).__name__, daemon=True)

    def write(self, item: Item) -> None:
        if not self._channel.put(item) and self._error is not None:
            raise self._error

    def __enter__(self) -> InBackground[Item]:
        with ExitStack() as stack:
            self._output.open(stack)
            self._stack = stack.pop_all()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._channel.close()
        else:
            self._channel.drop()
        self._thread.join()
        failure = error or self._error
        self._stack.__exit__(None if failure is None else type(failure), failure, trace)
        if error is None and self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while True:
                self._output.write(self._channel.get())
        except EOFError:  # the channel was closed: there are no more items
            pass
        except BaseException as error:  # raised by the next write, or at the end
            self._error = error
            self._channel.drop()
