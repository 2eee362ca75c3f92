"""`livos track` with a stand-in for the network."""

from __future__ import annotations

from pathlib import Path

import pytest
from marking_segmenter import MarkingSegmenter

from livos.commands import track


@pytest.fixture
def segmenter() -> MarkingSegmenter:
    return MarkingSegmenter()


@pytest.fixture
def run(tmp_path, segmenter):
    """Runs the program with these options on `video` and `masks` in the test's folder; returns its exit status."""

    def call(video: Path | str, masks: Path, *options: str) -> int:
        arguments = ["--video", str(video), "--masks", str(masks), "--output", str(tmp_path / "out"), *options]
        return track.main(arguments, lambda *_: segmenter)

    return call
