"""Everything that a run needs to go on as if it had never stopped, and the files that hold it."""

import logging
import os
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from livos.distributed import Process, gather
from livos.files.atomic import written_aside

log = logging.getLogger(__name__)

CHECKPOINT_NAME = "{stage}_{iteration:08d}.pt"
CHECKPOINT_PATTERN = re.compile(r"(pre_training|main_training)_(\d{8})\.pt")
STAGES = ("pre_training", "main_training")  # in their order


@dataclass
class Progress:
    """How far a run is. The position in the data is the iteration: clips are numbered through."""

    stage: str
    iteration: int = 0  # steps of the stage that are done
    skipped: int = 0  # of them, those whose loss or gradient was not finite
    skipped_in_a_row: int = 0
    best_score: float = -1.0  # J&F of the best validation, -1 before the first

    def __str__(self) -> str:
        return f"iteration {self.iteration} of {self.stage}"


def random_states() -> dict[str, Any]:
    """The states of this process's global random generators, as plain values and tensors."""
    name, keys, *rest = cast(tuple[Any, ...], np.random.get_state())
    states = {"python": random.getstate(), "numpy": (name, keys.tolist(), *rest), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def set_random_states(states: dict[str, Any]) -> None:
    """Set this process's global random generators to what `random_states` returned."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])


def save_checkpoint(folder: Path, progress: Progress, parts: dict[str, Any], process: Process, keep: int) -> None:
    """Save the parts that have a state_dict, the progress and all processes' random states; keep the newest `keep`.

    To be called by every process; the main one writes.
    """
    all_random_states = gather(random_states())
    if not process.is_main:
        return
    folder.mkdir(parents=True, exist_ok=True)
    content = {name: part.state_dict() for name, part in parts.items()}
    content |= {"progress": vars(progress).copy(), "random_states": all_random_states}
    path = folder / CHECKPOINT_NAME.format(stage=progress.stage, iteration=progress.iteration)
    save_aside(content, path)
    log.info("saved %s", path)
    for old in checkpoints_in(folder)[: -max(1, keep)]:
        old.unlink()


def save_aside(content: Any, path: Path) -> None:
    """torch.save, so that the file is complete, and on the disk, whenever it has its name."""
    with written_aside(path) as aside, aside.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())


def restore(content: dict[str, Any], parts: dict[str, Any], process: Process) -> None:
    """Put the states of a checkpoint into the parts, and this process's random states into its generators.

    Raises:
        ValueError: if the run has a part that the checkpoint lacks, or the reverse.
    """
    stored = content.keys() - {"progress", "random_states"}
    if stored != parts.keys():
        raise ValueError(
            f"the checkpoint holds {sorted(stored)}, but this run has {sorted(parts)}: "
            "continue with the precision and average_decay that it was started with"
        )
    for name, part in parts.items():
        part.load_state_dict(content[name])
    states = content["random_states"]
    if len(states) == process.world_size:
        set_random_states(states[process.rank])
    elif process.is_main:
        log.warning(
            "the checkpoint was saved by %d processes, now there are %d: clips and points stay the same, "
            "but layers with randomness (drop path) start from fresh states",
            len(states),
            process.world_size,
        )


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint file, on the CPU.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file holds weights alone.
    """
    content = torch.load(path, map_location="cpu", weights_only=True)
    if "progress" not in content:
        raise ValueError(f"{path} holds no training state: to start from its weights, use weights={path}")
    return content


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints in a folder, oldest first."""
    matches = ((CHECKPOINT_PATTERN.fullmatch(path.name), path) for path in folder.glob("*.pt"))
    return [path for _, path in sorted(((STAGES.index(m[1]), int(m[2])), path) for m, path in matches if m)]
