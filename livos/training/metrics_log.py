"""Logs of a training run: TensorBoard, a file of numbers, and a console line with the remaining time."""

import json
import logging
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from livos.files.atomic import errors_named, written_aside

log = logging.getLogger(__name__)


class RunningMean:
    """Means of numbers by name, since they were last taken."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.count = 0

    def add(self, numbers: dict[str, float]) -> None:
        self.sums = {name: self.sums.get(name, 0.0) + number for name, number in numbers.items()}
        self.count += 1

    def take(self) -> dict[str, float]:
        """Returns the means and starts again; empty if nothing was added."""
        means = {name: total / self.count for name, total in self.sums.items()}
        self.sums, self.count = {}, 0
        return means

    def state_dict(self) -> dict[str, Any]:
        return {"sums": dict(self.sums), "count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.sums, self.count = dict(state["sums"]), state["count"]


class MetricsLog:
    """The log of one stage in its experiment's folder; numbers after `start`, from an interrupted run, are dropped.

    Every line of metrics.jsonl is a JSON object: stage, iteration (counted from 1), and numbers by name.
    """

    def __init__(self, folder: Path, stage: str, start: int, iterations: int):
        self.stage, self.start, self.iterations = stage, start, iterations
        self.numbers_path = folder / "metrics.jsonl"
        self.began = time.monotonic()
        drop_numbers(self.numbers_path, stage, start)
        self.board_dir = folder / "tensorboard" / stage
        self.board = SummaryWriter(str(self.board_dir), purge_step=start + 1)

    def numbers(self, iteration: int, numbers: dict[str, float]) -> None:
        """Writes numbers by name to all three places; the console line omits details, which are named `group/name`."""
        left = self.time_left(iteration)
        with errors_named(self.board_dir):
            for name, number in {**numbers, "hours_left": left.total_seconds() / 3600}.items():
                self.board.add_scalar(name, number, iteration)
        line = {"stage": self.stage, "iteration": iteration, **numbers}
        with errors_named(self.numbers_path), self.numbers_path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        shown = "  ".join(f"{name} {number:.4g}" for name, number in numbers.items() if "/" not in name)
        log.info("%s %d/%d  %s  left %s", self.stage, iteration, self.iterations, shown, left)

    def picture(self, iteration: int, name: str, picture: np.ndarray) -> None:
        """Writes an (H, W, 3) uint8 RGB picture to TensorBoard."""
        with errors_named(self.board_dir):
            self.board.add_image(name, picture, iteration, dataformats="HWC")

    def time_left(self, iteration: int) -> timedelta:
        """The time until the stage ends, at the speed so far, in whole seconds."""
        elapsed = time.monotonic() - self.began
        done = max(1, iteration - self.start)
        return timedelta(seconds=round(elapsed / done * (self.iterations - iteration)))

    def close(self) -> None:
        with errors_named(self.board_dir):
            self.board.close()


def drop_numbers(path: Path, stage: str, start: int) -> None:
    """Removes the stage's lines of iterations after `start` from a file of numbers."""
    if not path.exists():
        return
    lines = path.read_text().splitlines(keepends=True)
    kept = [
        line
        for number, line in enumerate(lines, start=1)
        if line.endswith("\n") and is_kept(line, stage, start, f"{path}, line {number}")
    ]
    with written_aside(path) as aside:
        aside.write_text("".join(kept))


def is_kept(line: str, stage: str, start: int, where: str) -> bool:
    """Whether a line of numbers belongs to another stage or to an iteration up to `start`."""
    try:
        record = json.loads(line)
        return record["stage"] != stage or record["iteration"] <= start
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{where}: expected a JSON object with stage and iteration, found {line[:100]!r}") from error
