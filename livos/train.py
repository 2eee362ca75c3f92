"""Trains a network.

OMP_NUM_THREADS=4 torchrun --master_port 25350 --nproc_per_node=4 livos/train.py exp_id=first_try model=base data=base
"""

import logging
import sys
from pathlib import Path
from typing import cast

if __name__ == "__main__":
    if not __package__:
        sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository instead of livos/ itself
    from livos.interruptions import end_at_once_when_told

    end_at_once_when_told()  # before the imports, which take seconds

import hydra
import torch
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from livos.allocation import reuse_freed_memory
from livos.config.overrides import refuse_unknown_settings
from livos.config.schema import TrainConfig
from livos.distributed import joined_processes, num_restarts, rank_of_this_process
from livos.interruptions import Interrupted
from livos.training.trainer import train

log = logging.getLogger(__name__)
ConfigStore.instance().store("train_schema", TrainConfig)


@hydra.main(version_base="1.3", config_path="config", config_name="train_config")
def main(settings: DictConfig) -> None:
    """Exit status 2: training cannot continue, see the message; 128 + N: interrupted by signal N (130: Ctrl-C)."""
    # Many gradients are tiny, and CPUs take many times longer for numbers below the normal range of float32.
    # The threads that torch starts from here on inherit this.
    torch.set_flush_denormal(True)
    reuse_freed_memory()
    try:
        if OmegaConf.is_missing(settings, "exp_id"):
            raise ValueError("exp_id=NAME is needed: it names the experiment and its folder")
        config = cast(TrainConfig, OmegaConf.to_object(settings))
        with joined_processes(config.device) as process:
            train(config, process, restarted=num_restarts() > 0)
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        log.error("%s", error, exc_info=log.isEnabledFor(logging.DEBUG))  # hydra.verbose=true shows where
        sys.exit(2)
    except Interrupted as interruption:
        if rank_of_this_process() == 0:
            log.error("%s", interruption)
        sys.exit(interruption.status)


def run() -> None:
    """Runs the program with the settings from the command line."""
    if "--config-dir" not in sys.argv:  # its files would be unknown
        refuse_unknown_settings(TrainConfig)
    main()


if __name__ == "__main__":
    run()
