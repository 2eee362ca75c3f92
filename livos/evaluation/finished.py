"""Which videos an earlier run has finished with the same settings, so that a new one can skip them.

A video is finished when all its files are there, and a note, written last, says that they were made with the current
settings, weights and frames.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from livos.config.schema import EvalConfig
from livos.evaluation.output_folder import OutputFolder
from livos.evaluation.video import TestVideo
from livos.files.atomic import written_aside

log = logging.getLogger(__name__)

# Settings that say what is done, where and how fast, but do not change any mask.
_WITHOUT_INFLUENCE = {
    *("videos", "video_list", "frame_list", "save_all", "num_videos", "source", "archive", "score", "truth_directory"),
    *("resume", "save_scores", "visualize", "output_dir", "data_root", "repository_dir", "dataset_name"),
    *("device", "chunk_size", "compile", "weights"),
}


class FinishedVideos:
    """Notes `<output>/finished/<video>.json` about the videos of one evaluation."""

    def __init__(self, output: OutputFolder, settings: EvalConfig, weights: str) -> None:
        self._output = output
        self._made_with = {key: value for key, value in asdict(settings).items() if key not in _WITHOUT_INFLUENCE}
        path = Path(weights)
        self._made_with["weights"] = [path.name, *_stamp(path)] if path.is_file() else weights

    def among(self, videos: Sequence[TestVideo]) -> set[str]:
        """The names of the finished videos. Warns about those that were finished with other settings."""
        finished, changed = set(), {}
        for video in videos:
            noted = self._read(video)
            if noted is None or video.problems():
                continue
            now = self._now(video)
            if noted != now:
                changed[video.name] = [key for key in now if noted.get(key) != now[key]]
            elif not self._output.lacks(video):
                finished.add(video.name)
        if changed:
            keys = sorted({key for keys in changed.values() for key in keys})
            log.warning(
                "%s: %d videos were made with other settings (%s) and will be redone",
                *(self._output.path, len(changed), ", ".join(keys)),
            )
        return finished

    def forget(self, video: TestVideo) -> None:
        """Removes the note, before anything is overwritten."""
        self._note(video).unlink(missing_ok=True)

    def note(self, video: TestVideo) -> None:
        """Call this when everything is written."""
        path = self._note(video)
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as aside:
            aside.write_text(json.dumps(self._now(video), indent=1) + "\n", encoding="utf-8")

    def _note(self, video: TestVideo) -> Path:
        folder = self._output.path / "finished"
        return folder / f"{video.name}.json"

    def _read(self, video: TestVideo) -> dict[str, Any] | None:
        try:
            return json.loads(self._note(video).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # no note, or none of ours
            return None

    def _now(self, video: TestVideo) -> dict[str, Any]:
        """What the masks of a video depend on, as read back from JSON."""
        masks = sorted({mask.path for mask in video.given.values()})
        frames = [len(video), *_stamp(video.frame_paths[0])]
        now = {**self._made_with, "frames": frames, "given_masks": [_stamp(path) for path in masks]}
        return json.loads(json.dumps(now))


def _stamp(path: Path) -> tuple[int, int]:
    """Distinguishes a file from others of the same name: bytes, and the second of its last change."""
    return path.stat().st_size, int(path.stat().st_mtime)
