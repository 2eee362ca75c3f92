"""Everything that a run needs to continue as if it had never stopped, and the files that hold it."""

import logging
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from livos.distributed import Process, gather
from livos.files.tensor_files import first_line, load_tensors, save_tensors
from livos.training.states import refuse_unlike, refuse_unlike_state

log = logging.getLogger(__name__)

CHECKPOINT_NAME = "{stage}_{iteration:08d}.pt"
CHECKPOINT_PATTERN = re.compile(r"(pre_training|main_training)_(\d{8})\.pt")
STAGES = ("pre_training", "main_training")  # in their order


@dataclass
class Progress:
    """How far a run is. The iteration is also the position in the data: clips are numbered consecutively."""

    stage: str
    iteration: int = 0  # steps of the stage that are done
    skipped: int = 0  # the steps among them whose loss or gradient was not finite
    skipped_in_a_row: int = 0
    best_score: float = -1.0  # J&F of the best validation, -1 before the first

    def __str__(self) -> str:
        return f"iteration {self.iteration} of {self.stage}"


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds."""

    path: Path
    progress: Progress
    parts: dict[str, Any]  # the state_dict of each part of the run, by name
    random_states: list[dict[str, Any]]  # of each process's generators


def random_states() -> dict[str, Any]:
    """The states of this process's global random generators, as plain values and tensors."""
    name, keys, *rest = cast(tuple[Any, ...], np.random.get_state())
    states = {"python": random.getstate(), "numpy": (name, keys.tolist(), *rest), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def set_random_states(states: dict[str, Any]) -> None:
    """Sets this process's global random generators to what `random_states` returned."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])


def save_checkpoint(folder: Path, progress: Progress, parts: dict[str, Any], process: Process, keep: int) -> None:
    """Saves the parts, which have a state_dict, the progress and all random states; keeps the newest `keep` files.

    Every process has to call this; the main one writes.
    """
    all_random_states = gather(random_states())
    if not process.is_main:
        return
    folder.mkdir(parents=True, exist_ok=True)
    content = {name: part.state_dict() for name, part in parts.items()}
    content |= {"progress": vars(progress).copy(), "random_states": all_random_states}
    path = folder / CHECKPOINT_NAME.format(stage=progress.stage, iteration=progress.iteration)
    save_tensors(content, path)
    log.info("saved %s", path)
    for old in checkpoints_in(folder)[: -max(1, keep)]:
        old.unlink()


def restore(checkpoint: Checkpoint, parts: dict[str, Any], process: Process) -> None:
    """Loads the states of a checkpoint into the parts, and this process's random states into its generators.

    Raises:
        ValueError: If the parts of the run and the checkpoint differ, or a state does not fit its part. The message
            names the file and what does not fit.
    """
    if checkpoint.parts.keys() != parts.keys():
        raise ValueError(
            f"{checkpoint.path} contains {sorted(checkpoint.parts)}, but this run has {sorted(parts)}: "
            "continue with the same precision and average_decay as before"
        )
    states = checkpoint.random_states
    try:
        for name, part in parts.items():
            refuse_unlike_state(checkpoint.parts[name], part, name)
            part.load_state_dict(checkpoint.parts[name])
        if len(states) == process.world_size:
            set_random_states(states[process.rank])
    except Exception as error:  # torch raises errors of any kind for states that it cannot load
        raise ValueError(f"{checkpoint.path} does not fit this run, or is damaged: {first_line(error)}") from error
    if len(states) != process.world_size and process.is_main:
        log.warning(
            "the checkpoint was saved by %d processes, but now there are %d: clips and points stay the same, "
            "but random layers (drop path) start from fresh states",
            len(states),
            process.world_size,
        )


def load_checkpoint(path: Path) -> Checkpoint:
    """The content of a checkpoint file, on the CPU.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it is damaged, or not a checkpoint of this program. The message names the file.
    """
    content = load_tensors(path)
    if not isinstance(content, dict) or "progress" not in content:
        raise ValueError(f"{path} contains no training state: to start from its weights, use weights={path}")
    try:
        progress = content.pop("progress")
        refuse_unlike(progress, vars(Progress(STAGES[0])), "progress")
        random_states = content.pop("random_states")
        if progress["stage"] not in STAGES or min(progress["iteration"], progress["skipped_in_a_row"]) < 0:
            raise ValueError(f"progress is {progress}")
        if not isinstance(random_states, list) or not all(isinstance(state, dict) for state in random_states):
            raise ValueError("random_states must be a list with an entry for each process")
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is not a checkpoint of this program, or is damaged: {first_line(error)}") from error
    return Checkpoint(path, Progress(**progress), content, random_states)


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints in a folder, oldest first."""
    matches = ((CHECKPOINT_PATTERN.fullmatch(path.name), path) for path in folder.glob("*.pt"))
    return [path for _, path in sorted(((STAGES.index(m[1]), int(m[2])), path) for m, path in matches if m)]
