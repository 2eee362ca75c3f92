"""A training run: stages one after the other, each a loop over batches with logging, validation and checkpoints."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from livos.build import build_model
from livos.checkpoints import load_weights, save_weights
from livos.config.choices import refuse_other_words
from livos.config.schema import DataConfig, TrainConfig
from livos.distributed import Process, any_process, from_main, gather, mean
from livos.files.atomic import clear_leftovers
from livos.files.folder_lock import folder_in_use
from livos.interruptions import SIGNALS, Interrupted, Told, noticing_signals
from livos.model.network import LiVOS
from livos.training.data.loaders import ClipBatch, make_loader
from livos.training.data.workers import ClipLoader, raise_if_a_worker_died
from livos.training.experiment import find_start, write_settings
from livos.training.metrics_log import MetricsLog, RunningMean
from livos.training.modes import evaluating, prepare_network, shared_network, to_training_mode
from livos.training.optimizer import averaged, make_optimizer
from livos.training.pictures import picture_of_clip
from livos.training.step import StepResult, TrainingStep, prepare_example
from livos.training.training_state import (
    STAGES,
    Checkpoint,
    Progress,
    load_checkpoint,
    restore,
    save_checkpoint,
)
from livos.training.validation import check_validation, validate

log = logging.getLogger(__name__)


def train(config: TrainConfig, process: Process, restarted: bool = False) -> Path:
    """Trains according to `config`; returns the experiment's folder.

    Args:
        restarted: Whether torchrun restarted these processes after one of them failed.

    Raises:
        ValueError: If settings contradict each other, the data or the machine.
        OSError: If files cannot be read or written, another training uses the folder, or a worker has died.
        FloatingPointError: If the loss was not finite `config.max_skipped` times in a row.
        Interrupted: If a signal told a process to stop; a checkpoint of the current iteration has been saved.
    """
    refuse_other_words(config)
    torch.manual_seed(config.seed + process.rank)
    folder, path = from_main(find_start(config, datetime.now(), restarted))
    checkpoint = load_checkpoint(path) if path else None
    start = checkpoint.progress if checkpoint else None
    loaders = {name: stage_loader(name, config, process, start) for name in stages_left(config, start)}
    if config.validation.every:
        check_validation(config.validation)
    network = prepare_network(first_network(config, checkpoint is not None), config, process)
    shared = shared_network(network, process)
    first, *others = loaders
    trainer = StageTrainer(first, network, shared, loaders[first], config, folder, process)
    if checkpoint and checkpoint.progress.stage == first:
        trainer.restore(checkpoint)
    with ExitStack() as stack:
        if process.is_main:
            stack.enter_context(folder_in_use(folder, "a training"))
            if find_start(config, datetime.now(), restarted) != (folder, path):
                raise BlockingIOError(f"{folder}: another training ran here while this one started; start it again")
            clear_leftovers(folder, below=True)
            write_settings(folder, config)
        told = stack.enter_context(noticing_signals())
        if checkpoint:
            log.info("continuing %s at %s", checkpoint.path, checkpoint.progress)
        trainer.run(told)
        for name in others:
            StageTrainer(name, network, shared, loaders[name], config, folder, process).run(told)
    return folder


def stages_left(config: TrainConfig, start: Progress | None) -> list[str]:
    """The remaining stages, from the one in which a checkpoint was saved."""
    enabled = [name for name in STAGES if getattr(config, name).enabled]
    if not enabled:
        raise ValueError("there is nothing to train: both pre_training.enabled and main_training.enabled are false")
    if start and start.stage not in enabled:
        raise ValueError(f"the checkpoint was saved in {start.stage}, which is not enabled")
    return enabled[enabled.index(start.stage) :] if start else enabled


def stage_data(name: str, config: TrainConfig) -> DataConfig:
    """The settings of a stage's clips."""
    return config.data if name == "main_training" else config.image_data


def stage_loader(name: str, config: TrainConfig, process: Process, start: Progress | None) -> ClipLoader:
    """The clips of a stage for this process, from the current position of the run."""
    stage = getattr(config, name)
    return make_loader(
        stage_data(name, config),
        seed=config.seed,
        batch_size=stage.batch_size,
        num_iterations=stage.iterations,
        start_iteration=start.iteration if start and start.stage == name else 0,
        rank=process.rank,
        world_size=process.world_size,
        accumulation=stage.accumulation,
        num_workers=config.num_workers,
        pin_memory=process.device.type == "cuda",
    )


def first_network(config: TrainConfig, continued: bool) -> LiVOS:
    """The network with the weights that training starts from; if `continued`, a checkpoint will replace them."""
    pretrained = config.pretrained and not config.weights and not continued
    network = build_model(config.model, pretrained, seed=config.seed)
    if config.weights and not continued:
        load_weights(network, config.weights)
    return network


def is_due(done: int, every: int) -> bool:
    """Whether something is due after iteration `done`; every=0 means never."""
    return every > 0 and done % every == 0


def signal_of_any_process(told: Told, process: Process) -> int | None:
    """The signal that told any of the processes to stop, the same on all of them; None if there was none."""
    flags = any_process(*(told.signal_number == number for number in SIGNALS), device=process.device)
    return next((number for number, flag in zip(SIGNALS, flags, strict=True) if flag), None)


class StageTrainer:
    """One stage of training with its optimiser, and the loop that updates, evaluates and saves the weights.

    Args:
        network: The network on the process's device.
        shared: The same network, wrapped to exchange gradients with other processes.
        loader: This process's portions of the remaining batches.
    """

    def __init__(
        self,
        name: str,
        network: LiVOS,
        shared: nn.Module,
        loader: ClipLoader,
        config: TrainConfig,
        folder: Path,
        process: Process,
    ):
        self.stage, self.config, self.folder, self.process = getattr(config, name), config, folder, process
        self.network, self.loader = network, loader
        self.progress = Progress(name)
        self.optimizer = make_optimizer(network, self.stage)
        self.scaler = torch.amp.GradScaler(process.device.type, enabled=config.precision == "float16")
        self.average = averaged(network, config.average_decay) if config.average_decay else None
        self.means = RunningMean()
        self.metrics: MetricsLog | None = None  # of the main process
        self.failed_clips: list[str] = []  # of consecutive skipped steps
        self.step = TrainingStep(
            shared,
            self.optimizer,
            self.scaler,
            self.stage,
            config.loss,
            config.precision,
            config.seed,
            stage_data(name, config).max_objects if config.padding_objects else None,
            process.device,
        )

    @property
    def parts(self) -> dict[str, Any]:
        """The contents of a checkpoint."""
        parts = {"network": self.network, "optimizer": self.optimizer, "scaler": self.scaler, "means": self.means}
        return parts | ({"average": self.average} if self.average else {})

    @property
    def best_network(self) -> LiVOS:
        """The network to use afterwards: with averaged weights, if there are any."""
        return cast(LiVOS, self.average.module) if self.average else self.network

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continues from a checkpoint."""
        self.progress = replace(checkpoint.progress)
        restore(checkpoint, self.parts, self.process)

    def run(self, told: Told) -> None:
        """Trains to the end of the stage, or raises Interrupted when told to stop. Either way there is a checkpoint."""
        to_training_mode(self.network, self.config.batch_norm)
        start, stage = self.progress.iteration, self.stage
        if self.process.is_main:
            self.metrics = MetricsLog(self.folder, self.progress.stage, start, stage.iterations)
        try:
            with closing(iter(self.loader)) as clips:  # this also ends its workers
                for iteration, portions in self.batches(clips):
                    result = self.step(iteration, portions)
                    self.progress.iteration += 1
                    self.take_note(result)
                    stopped_by = signal_of_any_process(told, self.process)
                    self.write_down(last=stopped_by is not None or self.progress.iteration == stage.iterations)
                    if stopped_by is not None and self.progress.iteration < stage.iterations:
                        raise Interrupted(stopped_by, f"{self.progress} is saved; resume=auto continues from there")
        except RuntimeError as error:
            raise_if_a_worker_died(error)
            raise
        finally:
            if self.metrics:
                self.metrics.close()

    def batches(self, clips: Iterator[ClipBatch]) -> Iterator[tuple[int, Iterator[tuple[list[int], ClipBatch]]]]:
        """The remaining iterations, each with its portions: clips and their numbers."""
        portions = map(self.keep_for_picture, zip(self.loader.batch_sampler, clips, strict=True))
        for iteration in range(self.progress.iteration, self.stage.iterations):
            yield iteration, islice(portions, self.stage.accumulation)

    def keep_for_picture(self, portion: tuple[list[int], ClipBatch]) -> tuple[list[int], ClipBatch]:
        """The same portion, whose clips are kept until the next one."""
        self.last_batch = portion[1]
        return portion

    def take_note(self, result: StepResult) -> None:
        """Counts the step as applied or skipped, and gives up after too many consecutive skips."""
        losses = mean(torch.stack(list(result.losses.values()))).tolist()
        if result.moved:
            numbers = {f"loss/{name}": loss for name, loss in zip(result.losses, losses, strict=True)}
            self.means.add({"loss": sum(losses), **numbers, "gradient_norm": result.gradient_norm})
            self.progress.skipped_in_a_row, self.failed_clips = 0, []
            if self.average:
                self.average.update_parameters(self.network)
            return
        self.progress.skipped += 1
        if result.overflowed:
            return
        self.progress.skipped_in_a_row += 1
        for clips_of_process in gather(result.failed_clips):
            self.failed_clips += clips_of_process
        clips = ", ".join(self.failed_clips)
        log.warning("skipped step %d: loss or gradient is not finite (%s)", self.progress.iteration, clips)
        if self.progress.skipped_in_a_row >= self.config.max_skipped:
            raise FloatingPointError(
                f"loss or gradient was not finite {self.config.max_skipped} times in a row, up to iteration "
                f"{self.progress.iteration} of {self.progress.stage}; the clips: {clips}"
            )

    def write_down(self, last: bool) -> None:
        """Writes whatever is due after this iteration: numbers, a picture, validation, weights, a checkpoint."""
        config, done = self.config, self.progress.iteration
        if is_due(done, config.log_every):
            self.write_numbers()
        if is_due(done, config.picture_every) and self.metrics:
            self.metrics.picture(done, "clip", self.draw())
        if is_due(done, config.validation.every):
            self.validate()
        if is_due(done, config.weights_every) or done == self.stage.iterations:
            self.save_weights(f"{self.progress.stage}_{done:08d}.pth")
        if done == self.stage.iterations:
            self.save_weights("last.pth")
        if is_due(done, config.checkpoint_every) or last:
            save_checkpoint(
                self.folder / "checkpoints", self.progress, self.parts, self.process, config.keep_checkpoints
            )

    def write_numbers(self) -> None:
        """Writes the means since the last time, and the progress."""
        numbers = self.means.take()
        for group in self.optimizer.param_groups:
            numbers[f"learning_rate/{group['name']}"] = group["lr"]
        if self.scaler.is_enabled():
            numbers["gradient_scale"] = self.scaler.get_scale()
        if self.metrics:
            self.metrics.numbers(self.progress.iteration, numbers | {"skipped": self.progress.skipped})

    def validate(self) -> None:
        """Scores the network on the validation set, and saves its weights if they are the best so far."""
        with evaluating(self.network, self.config.batch_norm):
            score = validate(self.best_network, self.config.validation, self.config.precision, self.process)
        if self.metrics:
            self.metrics.numbers(self.progress.iteration, {"validation_jf": score})
        if score > self.progress.best_score:
            self.progress.best_score = score
            self.save_weights("best.pth")

    def draw(self) -> np.ndarray:
        """A picture of the last training clip, as the network segments it now."""
        example = prepare_example(self.last_batch, self.process.device)
        assert example.selector is not None
        network, clip = self.best_network, slice(-1, None)
        with evaluating(network, self.config.batch_norm):
            predictions = network(example.images[clip], example.first_masks[clip], example.selector[clip])
        probabilities = torch.stack([prediction.logits[0].softmax(0) for prediction in predictions])
        return picture_of_clip(example.images[-1], example.labels[-1], probabilities)

    def save_weights(self, name: str) -> None:
        """Saves only the weights, for evaluation and fine-tuning."""
        if self.process.is_main:
            folder = self.folder / "weights"
            folder.mkdir(exist_ok=True)
            save_weights(self.best_network, folder / name)
