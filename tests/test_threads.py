"""Reading ahead and writing behind: items keep their order, errors come in turn, no thread outlives its consumer."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from livos.pipeline.threads import InBackground, Output, read_ahead


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert reading_threads() == []


@pytest.mark.parametrize("depth", [1, 4, 100])
def test_the_same_items_come_in_the_same_order(depth):
    assert list(read_ahead(range(50), depth)) == list(range(50))
    assert list(read_ahead([], depth)) == []
    assert list(read_ahead([None, False], depth)) == [None, False]


def test_an_error_comes_after_the_items_before_it():
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("00003.jpg: cut short")

    seen = []
    with pytest.raises(ValueError, match=r"00003\.jpg: cut short"):
        for item in read_ahead(items()):
            seen.append(item)
    assert seen == [1, 2]


def test_it_runs_ahead_but_not_further_than_asked():
    produced, third = [], threading.Event()

    def items() -> Iterator[int]:
        for number in range(100):
            produced.append(number)
            if number == 3:
                third.set()
            yield number

    with closing(read_ahead(items(), depth=2)) as ahead:
        assert next(ahead) == 0
        assert third.wait(timeout=30)  # 1 and 2 wait in the queue, 3 in the thread's hands
        assert [next(ahead) for _ in range(5)] == [1, 2, 3, 4, 5]
        assert max(produced) <= 5 + 2 + 1


def test_nothing_is_read_before_the_first_item_is_wanted():
    produced = []
    read_ahead(produced.append(number) for number in range(3))
    assert produced == [] and reading_threads() == []


@pytest.mark.parametrize("error", [KeyError("the consumer's"), KeyboardInterrupt()])
def test_the_thread_ends_when_the_consumer_stops(error):
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.set()

    with pytest.raises(type(error)), closing(read_ahead(items(), depth=2)) as ahead:
        for number in ahead:
            if number == 3:
                raise error
    assert closed.is_set()


def test_the_thread_ends_when_a_loop_is_left():
    for number in read_ahead(range(1000), depth=2):
        if number == 3:
            break


class Recorder(Output):
    """An output that records its items, can fail at one, and knows how its block ended."""

    def __init__(self, fail_at: object = None, fail_at_end: bool = False):
        self.items: list = []
        self.fail_at, self.fail_at_end = fail_at, fail_at_end
        self.ended_with: str | None = None
        self.threads: set[int] = set()

    def write(self, item) -> None:
        self.threads.add(threading.get_ident())
        if item == self.fail_at:
            raise OSError("disk full")
        self.items.append(item)

    def open(self, stack) -> None:
        stack.push(self.note_end)

    def note_end(self, kind, error, trace) -> None:
        self.ended_with = "success" if kind is None else kind.__name__
        if kind is None and self.fail_at_end:
            raise OSError("cannot finish")


def test_items_arrive_in_order_in_another_thread():
    recorder = Recorder()
    with InBackground(recorder) as output:
        for item in range(50):
            output.write(item)
    assert recorder.items == list(range(50)) and recorder.ended_with == "success"
    assert threading.get_ident() not in recorder.threads


def test_an_error_of_an_output_is_raised_and_ends_its_block():
    recorder = Recorder(fail_at=3)
    with pytest.raises(OSError, match="disk full"), InBackground(recorder) as output:
        for item in range(1000):
            output.write(item)
    assert recorder.ended_with == "OSError" and recorder.items == [0, 1, 2]


def test_an_error_at_the_very_end_is_raised_too():
    with pytest.raises(OSError, match="disk full"), InBackground(Recorder(fail_at=3)) as output:
        output.write(3)
    with pytest.raises(OSError, match="cannot finish"), InBackground(Recorder(fail_at_end=True)) as output:
        output.write(1)
