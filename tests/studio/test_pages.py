"""Open pages: which of them is active, and what becomes of one that reads nothing."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from livos.studio import pages as pages_module
from livos.studio.pages import Pages


@pytest.fixture
def pages():
    return Pages()


def told(page):
    """What a page has been told since it was last asked; None in it says that it is dropped."""
    messages = []
    while not page.waiting.empty():
        message = page.waiting.get_nowait()
        messages.append(None if message is None else json.loads(message))
    return messages


def test_first_page_is_active_and_the_others_are_not(pages):
    first, second = pages.join(), pages.join()
    assert told(first) == [{"type": "hello", "page": first.number, "active": True}]
    assert told(second) == [{"type": "hello", "page": second.number, "active": False}]
    assert pages.is_active(str(first.number)) and not pages.is_active(str(second.number)) and not pages.is_active(None)


def test_oldest_of_the_others_becomes_active_when_the_active_page_is_closed(pages):
    first, second, third = (pages.join() for _ in range(3))
    for page in (first, second, third):
        told(page)
    pages.leave(first)
    assert pages.is_active(str(second.number))
    assert told(second) == [{"type": "active", "active": True}] and told(third) == [] == told(first)


def test_closing_a_page_that_is_not_active_changes_nothing(pages):
    first, second = pages.join(), pages.join()
    told(first)
    pages.leave(second)
    assert pages.is_active(str(first.number)) and told(first) == []


def test_without_a_page_none_is_active_until_the_next_one_comes(pages):
    first = pages.join()
    pages.leave(first)
    assert not pages.is_active(str(first.number))
    assert pages.is_active(str(pages.join().number))


def test_page_that_takes_over_twice_is_told_once(pages):
    first, second = pages.join(), pages.join()
    told(first), told(second)
    for _ in range(2):
        pages.take_over(second)
    assert told(first) == [{"type": "active", "active": False}]
    assert told(second) == [{"type": "active", "active": True}]


def test_page_that_reads_nothing_is_dropped_and_keeps_no_more_messages(pages, monkeypatch):
    monkeypatch.setattr(pages_module, "MOST_WAITING", 5)
    page = pages.join()
    for number in range(20):
        page.tell({"number": number})
    messages = told(page)
    assert len(messages) == 6 and messages[-1] is None and messages[4] == {"number": 3}


def test_all_pages_are_told_from_any_thread(pages):
    async def tell_from_a_thread():
        pages.begin(asyncio.get_running_loop())
        first, second = pages.join(), pages.join()
        told(first), told(second)
        await asyncio.to_thread(pages.tell, {"type": "note"})
        await asyncio.sleep(0)
        return told(first), told(second)

    with ThreadPoolExecutor(1) as thread:  # in this one, a browser of another test may have a loop running
        assert thread.submit(lambda: asyncio.run(tell_from_a_thread())).result(60) == ([{"type": "note"}],) * 2
    pages.tell({"type": "late"})  # the loop is closed: nobody is left to be told
