"""Files of probabilities, as save_scores=true writes them."""

import random
from pathlib import Path

import numpy as np
from fuzz.damage import damaged
from fuzz.watch import problems_of

from livos.pipeline.probabilities import read_object_ids, read_probabilities, write_probabilities


class Scores:
    """A damaged file of probabilities."""

    name = "scores"

    def __init__(self, folder: Path) -> None:
        write_probabilities(folder / "whole.npz", np.random.default_rng(0).random((3, 8, 9)), [1, 2])
        self.path, self.whole = folder / "input.npz", (folder / "whole.npz").read_bytes()

    def make(self, chance: random.Random) -> None:
        self.path.write_bytes(damaged(self.whole, chance))

    def read(self) -> str | None:
        read_object_ids(self.path)
        read_probabilities(self.path).labels()
        return None


def run(seed: int, count: int, folder: Path) -> list[str]:
    """The problems with `count` damaged inputs; see tests/fuzz/watch.py."""
    return problems_of(Scores(folder), seed, count)
