"""Segment a test set and write its masks.

python livos/eval.py dataset=d17-val weights=./weights/livos-nomose-480p.pth
"""

import logging
import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # the repository instead of livos/ itself

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from livos.config.overrides import refuse_unknown_settings
from livos.config.schema import EvalConfig
from livos.distributed import joined_processes
from livos.inference.evaluation import evaluate
from livos.inference.report import print_report

log = logging.getLogger(__name__)
ConfigStore.instance().store("eval_schema", EvalConfig)


@hydra.main(version_base="1.3", config_path="config", config_name="eval_config")
def main(config: DictConfig) -> None:
    settings: EvalConfig = OmegaConf.to_object(config)
    try:
        with joined_processes(settings.device) as process:
            report = evaluate(settings, process)
            if process.is_main:
                print_report(report, settings)
    except (ValueError, OSError, ImportError) as error:
        log.error("%s", error)
        sys.exit(2)
    if report["errors"]:
        sys.exit(1)


if __name__ == "__main__":
    refuse_unknown_settings(EvalConfig)
    main()
