"""Frames to labels to outputs: order, errors from any thread, and nothing left behind."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pytest
from test_threads import Recorder
from tiny_network import tiny_network

from livos import VideoSegmenter
from livos.pipeline.frames import InputFrame
from livos.pipeline.segment import deliver, segment, with_given_masks
from livos.segmenter.memory_shortage import MemoryShortageError
from livos.video.video_file import Frame

SIZE = (4, 6)


class Halves:
    """A segmenter whose labels are half of the image's first value. Records how many frames had started by then."""

    def __init__(self) -> None:
        self.num_begun = 0
        self.begun_at_answer: list[int] = []

    def step(self, image: np.ndarray, labels: np.ndarray | None = None, last: bool = False, absent=()) -> Half:
        self.num_begun += 1
        return Half(self, int(image[0, 0, 0]))


@dataclass
class Half:
    segmenter: Halves
    value: int
    object_ids: tuple[int, ...] = ()
    confidence = MappingProxyType({})

    @property
    def labels(self) -> np.ndarray:
        self.segmenter.begun_at_answer.append(self.segmenter.num_begun)
        return np.full(SIZE, self.value // 2, np.int32)


def frame(number: int, damaged: bool = False) -> Frame:
    image = None if damaged else np.full((*SIZE, 3), 10 * number, np.uint8)
    return Frame(number, f"{number:02d}", number, image)


def inputs(*frames: Frame) -> list[InputFrame]:
    return [InputFrame(entry) for entry in frames]


def all_of(results, outputs) -> list:
    return list(deliver(results, outputs))


def test_an_error_of_the_work_ends_all_outputs():
    outputs = [Recorder(), Recorder()]

    def results():
        yield 1
        raise ValueError("bad frame")

    with pytest.raises(ValueError, match="bad frame"):
        all_of(results(), outputs)
    assert [output.ended_with for output in outputs] == ["ValueError", "ValueError"]


def test_no_frames_at_all_is_an_error():
    output = Recorder()
    with pytest.raises(ValueError, match="there are no frames"):
        all_of(iter([]), [output])
    assert output.ended_with == "ValueError"


def test_leaving_the_loop_early_ends_outputs_and_frames():
    output, ended = Recorder(), []

    def results():
        try:
            yield from range(100)
        finally:
            ended.append(True)

    with closing(deliver(results(), [output])) as delivered:
        next(delivered)
    assert output.ended_with == "GeneratorExit" and ended == [True]


def test_a_result_is_waited_for_after_the_next_frame_was_begun():
    segmenter = Halves()
    frames = inputs(*(frame(number) for number in range(4)))
    labels = [int(found.labels[0, 0]) for found in segment(frames, segmenter, SIZE)]
    assert labels == [0, 5, 10, 15] and segmenter.begun_at_answer == [2, 3, 4, 4]


def test_damaged_frames_hold_what_was_before():
    frames = inputs(frame(0, damaged=True), frame(1), frame(2, damaged=True), frame(3))
    found = list(segment(frames, Halves(), SIZE))
    assert [(item.damaged, int(item.image[0, 0, 0]), int(item.labels[0, 0])) for item in found] == [
        (True, 0, 0), (False, 10, 5), (True, 10, 5), (False, 30, 15),
    ]  # fmt: skip


def test_a_damaged_frame_with_a_mask_is_refused():
    class Given:
        path = "01.png"

    with pytest.raises(ValueError, match=r"frame 1 is damaged.*is its mask"):
        list(with_given_masks([frame(0), frame(1, damaged=True)], {1: Given()}))


def test_damage_can_be_made_an_error():
    with pytest.raises(ValueError, match=r"frame 1 is damaged.*hold"):
        list(segment(inputs(frame(0), frame(1, damaged=True)), Halves(), SIZE, stop_at_damage=True))


def test_results_carry_what_was_asked_for():
    segmenter = VideoSegmenter(tiny_network(), device="cpu")
    labels = np.zeros((32, 48), np.int32)
    labels[8:24, 8:24] = 7
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 48, 3), dtype=np.uint8)
    frames = [Frame(number, "", number, image) for number, image in enumerate(images)]
    given = [InputFrame(entry, labels if entry.number == 0 else None) for entry in frames]
    plain = list(segment(given, segmenter, (32, 48)))
    assert [item.probabilities for item in plain] == [None] * 3 and plain[1].object_ids == (7,)
    segmenter.reset()
    full = list(segment(given, segmenter, (32, 48), keep_probabilities=True, keep_states=True))
    assert full[2].probabilities.shape == (2, 32, 48)
    segmenter.restore(full[1].state)
    np.testing.assert_array_equal(segmenter.step(images[2]).labels, full[2].labels)


def test_running_out_of_memory_says_which_settings_need_less():
    class Hungry(VideoSegmenter):
        def step(self, *arguments, **options):
            raise RuntimeError("CUDA out of memory. Tried to allocate 3 GiB")

    segmenter = Hungry(tiny_network(), device="cpu", size=32)
    with pytest.raises(MemoryShortageError, match=r"try a smaller size \(now 32\), chunk_size=1"):
        list(segment(inputs(frame(0)), segmenter, SIZE))
