"""Reading ahead, so that the network does not wait for the disk."""

import queue as queues
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def prefetch(items: Iterable[Item], depth: int = 4) -> Generator[Item, None, None]:
    """The same items, produced by a thread that stays at most `depth` ahead. Its errors are raised here, in turn.

    The thread ends when the generator is closed, too: `with closing(prefetch(…))` where a loop may be left early.
    """
    queue: queues.Queue = queues.Queue(maxsize=depth)
    stopped = threading.Event()

    def put(entry: tuple[str, object]) -> None:
        while not stopped.is_set():
            try:
                return queue.put(entry, timeout=0.1)
            except queues.Full:
                continue

    def produce() -> None:
        try:
            for item in items:
                put(("item", item))
                if stopped.is_set():
                    return
            put(("end", None))
        except BaseException as error:  # handed over to whoever consumes
            put(("error", error))

    thread = threading.Thread(target=produce, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = queue.get()
            if kind == "error":
                raise value
            if kind == "end":
                return
            yield value
    finally:
        stopped.set()
        thread.join()
