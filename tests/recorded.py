"""Numbers recorded from the published network, and networks with the weights that they were recorded with."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import torch
from parity.seeded_weights import seeded_state_dict

from livos.build import build_model
from livos.checkpoints import load_weights
from livos.model.network import LiVOS

PARITY = Path(__file__).parent / "parity"


def numbers(name: str) -> dict[str, np.ndarray]:
    with np.load(PARITY / f"{name}.npz") as file:
        return dict(file)


def table(model: str) -> dict[str, dict]:
    return json.loads((PARITY / f"checkpoint-{model}.json").read_text())


@cache
def recorded_network(model: str, seed: int) -> LiVOS:
    """In evaluation mode; shared by tests, so do not change it."""
    weights = {name: torch.from_numpy(x) for name, x in seeded_state_dict(table(model), seed).items()}
    return load_weights(build_model(model, seed=0), weights)
