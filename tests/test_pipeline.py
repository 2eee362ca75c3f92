"""Frames to labels to outputs: order, errors from any thread, and nothing left behind."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest

from livos.pipeline.background import InBackground
from livos.pipeline.segment import segment, write_all
from livos.video.video_file import Frame

SIZE = (4, 6)


class Recorder:
    """An output that remembers, fails at an item if told, and knows how its block ended."""

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

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.ended_with = "success" if kind is None else kind.__name__
        if kind is None and self.fail_at_end:
            raise OSError("cannot finish")


class Halves:
    """A segmenter whose labels are half of the image's first value. Says how many frames were begun at each answer."""

    def __init__(self) -> None:
        self.num_begun = 0
        self.begun_at_answer: list[int] = []

    def step(self, image: np.ndarray, labels: np.ndarray | None = None) -> Half:
        self.num_begun += 1
        return Half(self, int(image[0, 0, 0]))


@dataclass
class Half:
    segmenter: Halves
    value: int

    @property
    def labels(self) -> np.ndarray:
        self.segmenter.begun_at_answer.append(self.segmenter.num_begun)
        return np.full(SIZE, self.value // 2, np.int32)


def frame(number: int, damaged: bool = False) -> Frame:
    image = None if damaged else np.full((*SIZE, 3), 10 * number, np.uint8)
    return Frame(number, f"{number:02d}", number, image)


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


def test_an_error_of_the_work_ends_all_outputs():
    outputs = [Recorder(), Recorder()]

    def results():
        yield 1
        raise ValueError("bad frame")

    with pytest.raises(ValueError, match="bad frame"):
        write_all(results(), outputs)
    assert [output.ended_with for output in outputs] == ["ValueError", "ValueError"]


def test_no_frames_at_all_is_an_error():
    output = Recorder()
    with pytest.raises(ValueError, match="clip: there are no frames"):
        write_all(iter([]), [output], title="clip")
    assert output.ended_with == "ValueError"


def test_a_result_is_waited_for_after_the_next_frame_was_begun():
    segmenter = Halves()
    frames = [frame(number) for number in range(4)]
    labels = [int(found.labels[0, 0]) for found in segment(frames, segmenter, {}, SIZE)]
    assert labels == [0, 5, 10, 15] and segmenter.begun_at_answer == [2, 3, 4, 4]


def test_damaged_frames_hold_what_was_before():
    frames = [frame(0, damaged=True), frame(1), frame(2, damaged=True), frame(3)]
    found = list(segment(frames, Halves(), {}, SIZE))
    assert [(item.damaged, int(item.image[0, 0, 0]), int(item.labels[0, 0])) for item in found] == [
        (True, 0, 0), (False, 10, 5), (True, 10, 5), (False, 30, 15),
    ]  # fmt: skip


@pytest.mark.parametrize(("masked", "stop", "complaint"), [(True, False, "is a mask of it"), (False, True, "hold")])
def test_damaged_frames_are_refused_where_they_matter(masked, stop, complaint):
    class Given:
        path = "01.png"

    frames = [frame(0), frame(1, damaged=True)]
    with pytest.raises(ValueError, match=f"frame 1 is damaged.*{complaint}"):
        list(segment(frames, Halves(), {1: Given()} if masked else {}, SIZE, stop))
