"""Items read ahead arrive in order, an error arrives in its turn, and no thread outlives its consumer."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from livos.pipeline.prefetch import prefetch


def prefetching_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert prefetching_threads() == []


@pytest.mark.parametrize("depth", [1, 4, 100])
def test_the_same_items_come_in_the_same_order(depth):
    assert list(prefetch(range(50), depth)) == list(range(50))
    assert list(prefetch([], depth)) == []
    assert list(prefetch([None, False], depth)) == [None, False]


def test_an_error_comes_after_the_items_before_it():
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("00003.jpg: cut short")

    seen = []
    with pytest.raises(ValueError, match=r"00003\.jpg: cut short"):
        for item in prefetch(items()):
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

    with closing(prefetch(items(), depth=2)) as ahead:
        assert next(ahead) == 0
        assert third.wait(timeout=30)  # 1 and 2 wait in the queue, 3 in the thread's hands
        assert [next(ahead) for _ in range(5)] == [1, 2, 3, 4, 5]
        assert max(produced) <= 5 + 2 + 1


def test_nothing_is_read_before_the_first_item_is_wanted():
    produced = []
    prefetch(produced.append(number) for number in range(3))
    assert produced == [] and prefetching_threads() == []


@pytest.mark.parametrize("error", [KeyError("the consumer's"), KeyboardInterrupt()])
def test_the_thread_ends_when_the_consumer_stops(error):
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.set()

    with pytest.raises(type(error)), closing(prefetch(items(), depth=2)) as ahead:
        for number in ahead:
            if number == 3:
                raise error
    assert closed.is_set()


def test_the_thread_ends_when_a_loop_is_left():
    for number in prefetch(range(1000), depth=2):
        if number == 3:
            break
