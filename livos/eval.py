"""Segments a test set and writes its masks.

python livos/eval.py dataset=d17-val weights=./weights/livos-nomose-480p.pth
"""

import logging
import sys
from datetime import timedelta
from pathlib import Path
from typing import cast

if __name__ == "__main__":
    if not __package__:
        sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository instead of livos/ itself
    from livos.interruptions import end_at_once_when_told

    end_at_once_when_told()  # before the imports, which take seconds

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from livos.allocation import reuse_freed_memory
from livos.config.overrides import refuse_unknown_settings
from livos.config.schema import EvalConfig
from livos.distributed import joined_processes, rank_of_this_process
from livos.evaluation.output_folder import OutputFolder
from livos.evaluation.report import print_report
from livos.evaluation.run import evaluate
from livos.interruptions import Interrupted, raising_interrupted

log = logging.getLogger(__name__)
ConfigStore.instance().store("eval_schema", EvalConfig)


@hydra.main(version_base="1.3", config_path="config", config_name="eval_config")
def main(config: DictConfig) -> None:
    """Exit status 1: some videos failed; 2: nothing was possible; 128 + N: interrupted by signal N (130: Ctrl-C)."""
    reuse_freed_memory()
    settings = cast(EvalConfig, OmegaConf.to_object(config))
    try:
        patience = timedelta(days=30)  # long videos, or many objects
        with raising_interrupted(), joined_processes(settings.device, patience) as process:
            report = evaluate(settings, process)
            if process.is_main:
                print_report(report, OutputFolder.of(settings).path)
    except (ValueError, OSError, ImportError) as error:
        log.error("%s", error, exc_info=log.isEnabledFor(logging.DEBUG))  # hydra.verbose=true shows where
        sys.exit(2)
    except Interrupted as interruption:
        if rank_of_this_process() == 0:
            log.error("%s; the same command continues with the unfinished video", interruption)
        sys.exit(interruption.status)
    if report.errors:
        sys.exit(1)


def run() -> None:
    """Runs the program with the settings from the command line."""
    refuse_unknown_settings(EvalConfig, groups=("dataset", "model"))
    main()


if __name__ == "__main__":
    run()
