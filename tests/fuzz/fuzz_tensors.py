"""Weights and checkpoints of training, as tests/fuzz/tensor_files.py damages them."""

from pathlib import Path

import torch
from fuzz.tensor_files import READERS, fuzz


def run(seed: int, count: int, folder: Path) -> list[str]:
    """The problems with `count` damaged files of each kind."""
    torch.set_num_threads(1)
    problems = []
    for kind in READERS:
        (folder / kind).mkdir()
        verdicts, examples = fuzz(kind, count, seed, folder / kind)
        print(f"{kind}: {count} damaged inputs, {', '.join(f'{often} {what}' for what, often in verdicts.items())}")
        problems += [f"{kind}: {verdicts[what]} times {what}: {example}" for what, example in examples.items()]
    return problems
