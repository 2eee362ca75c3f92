"""Train a network.

OMP_NUM_THREADS=4 torchrun --master_port 25350 --nproc_per_node=4 livos/train.py exp_id=first_try model=base data=base
"""

import os
import sys
from pathlib import Path
from typing import cast

if __name__ == "__main__" and __package__ is None:
    repository = Path(__file__).resolve().parents[1]
    sys.path[:1] = [str(repository), str(repository / "vos-benchmark")]  # instead of livos/ itself

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from livos.config.schema import TrainConfig
from livos.distributed import joined_processes
from livos.training.trainer import train

ConfigStore.instance().store("train_schema", TrainConfig)


@hydra.main(version_base="1.3", config_path="config", config_name="train_config")
def main(settings: DictConfig) -> None:
    config = cast(TrainConfig, OmegaConf.to_object(settings))
    with joined_processes(config.device) as process:
        train(config, process, restarted=int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0)) > 0)


if __name__ == "__main__":
    main()
