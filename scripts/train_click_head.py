"""Train the head that turns clicks into a mask, on top of livos-lite's image encoder, which stays as it is.

    python scripts/train_click_head.py --data ../data --output ./click_head

--data contains static/ecssd, static/coco_objects, static/ccp, DAVIS/2016 and extra_videos, as for `data=wide`. Each
iteration takes crops around single objects, clicks several times where the head's answer is most wrong, and trains on
the last two answers. Every --save-every iterations, and on Ctrl-C or SIGTERM, the state is saved to last.pth in the
output folder, from which the same command resumes, and the averaged weights to click-head.safetensors. The learning
rate is constant at first, and falls to 0 over the last --cooldown iterations.
"""

import argparse
import logging
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    from livos.interruptions import end_at_once_when_told

    end_at_once_when_told()  # before the imports, which take seconds

import numpy as np

from livos.acceleration.accelerate import without_batch_norms
from livos.files.atomic import clear_leftovers
from livos.files.folder_lock import folder_in_use
from livos.interruptions import Interrupted, Told, noticing_signals
from livos.loading import load_model
from livos.training.click_data import click_pictures, split
from livos.training.click_trainer import ROUNDS, ClickSettings, ClickTrainer

PRINT_EVERY = 20


def train(trainer: ClickTrainer, save_every: int, told: Told) -> None:
    """Trains to the end, or raises Interrupted when told to stop. The state is saved in either case."""
    losses, overlaps = [], []
    while trainer.iteration < trainer.settings.iterations:
        begin = time.perf_counter()
        loss, each = trainer.step()
        trainer.seconds += time.perf_counter() - begin
        losses.append(loss)
        overlaps.append(each[:ROUNDS])
        done = trainer.iteration
        if done % PRINT_EVERY == 0:
            means = " ".join(f"{x:.3f}" for x in np.mean(overlaps, axis=0))
            print(f"{done} loss {np.mean(losses):.3f} IoU {means} {trainer.seconds / 60:.1f} min", flush=True)
            losses, overlaps = [], []
        ended, stopped_by = done == trainer.settings.iterations, told.signal_number
        if done % save_every == 0 or ended or stopped_by is not None:
            trainer.save()
        if stopped_by is not None and not ended:
            raise Interrupted(stopped_by, f"iteration {done} is saved; the same command continues from there")


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    defaults = ClickSettings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--iterations", type=int, default=defaults.iterations)
    parser.add_argument("--cooldown", type=int, default=defaults.cooldown)
    parser.add_argument("--batch-size", type=int, default=defaults.batch_size)
    parser.add_argument("--size", type=int, default=defaults.size)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    options = parser.parse_args(arguments)
    if options.save_every < 1:
        parser.error(f"--save-every {options.save_every}: expected 1 or more")
    return options


def main(arguments: list[str] | None = None) -> None:
    options = parse_options(arguments)
    logging.basicConfig(format="%(message)s")
    try:
        settings = ClickSettings(
            options.iterations,
            options.cooldown,
            options.batch_size,
            options.size,
            options.learning_rate,
            options.seed,
        )
        pictures = split(click_pictures(options.data))[0]
        with folder_in_use(options.output, "a training"), noticing_signals() as told:
            clear_leftovers(options.output)
            network = without_batch_norms(load_model("lite").eval())
            trainer = ClickTrainer(network, pictures, settings, options.output)
            if trainer.iteration >= settings.iterations:
                print(f"{trainer.path}: {trainer.iteration} iterations are already done")
            train(trainer, options.save_every, told)
    except (ValueError, OSError, FloatingPointError) as error:
        sys.exit(str(error))
    except Interrupted as interruption:
        print(interruption, file=sys.stderr)
        sys.exit(interruption.status)


if __name__ == "__main__":
    main()
