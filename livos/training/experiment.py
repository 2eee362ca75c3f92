"""The folder of an experiment: where it is, its settings, and which of its checkpoints to continue from."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from livos.config.schema import TrainConfig
from livos.files.atomic import written_aside
from livos.training.training_state import checkpoints_in

log = logging.getLogger(__name__)


def experiment_dir(config: TrainConfig, today: datetime) -> Path:
    """The folder to train in: `output_dir` if given, otherwise ./model_<mmdd_yyyy>/<exp_id> with today's date."""
    return Path(config.output_dir) if config.output_dir else Path(f"model_{today:%m%d_%Y}") / config.exp_id


def find_start(config: TrainConfig, today: datetime, restarted: bool) -> tuple[Path, Path | None]:
    """The experiment's folder and the checkpoint to continue from; None to start from the beginning.

    Args:
        restarted: Whether torchrun restarted these processes after a failure: then they continue, whatever `resume` is.

    Raises:
        FileExistsError: If the folder has checkpoints of an earlier run that should not be continued.
    """
    folder = experiment_dir(config, today)
    if config.resume == "auto" or restarted:
        earlier = [folder] if config.output_dir else dated_dirs(config.exp_id)
        for candidate in earlier:
            if paths := checkpoints_in(candidate / "checkpoints"):
                return candidate, paths[-1]
    if config.checkpoint:
        return folder, Path(config.checkpoint)
    if checkpoints_in(folder / "checkpoints"):
        raise FileExistsError(
            f"{folder} has checkpoints of an earlier run: resume=auto continues it, another exp_id= starts a new one"
        )
    return folder, None


def dated_dirs(exp_id: str) -> list[Path]:
    """The folders ./model_<mmdd_yyyy>/<exp_id> that exist, newest first."""

    def date(path: Path) -> tuple[str, str]:
        month_day, year = path.parent.name.removeprefix("model_").split("_")
        return year, month_day

    return sorted(Path().glob(f"model_[0-9][0-9][0-9][0-9]_[0-9][0-9][0-9][0-9]/{exp_id}"), key=date, reverse=True)


def write_settings(folder: Path, config: TrainConfig) -> None:
    """Writes config.yaml into the folder. Warns about settings that differ from those of the continued run."""
    settings, path = OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True), folder / "config.yaml"
    if path.exists():
        old, new = flat(OmegaConf.to_container(OmegaConf.load(path))), flat(settings)
        changes = [f"{key} (was {old.get(key)})" for key in new if new[key] != old.get(key)]
        if changes:
            log.warning("continuing with other settings: %s", ", ".join(changes))
    with written_aside(path) as aside:
        OmegaConf.save(OmegaConf.create(settings), aside)


def flat(settings: Any, prefix: str = "") -> dict[str, Any]:
    """Nested settings as one dictionary with dotted keys."""
    result: dict[str, Any] = {}
    for key, value in settings.items():
        result |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return result
