"""One training step: from the clips of a batch to updated weights, on one or several processes."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from livos.config.schema import LossConfig, StageConfig
from livos.devices import float32_products
from livos.distributed import any_process
from livos.training.data.augmentation import apply_colour
from livos.training.data.loaders import ClipBatch
from livos.training.losses import losses_of_clips
from livos.training.optimizer import learning_rate_factor, set_learning_rates

PRECISIONS = {"float32": torch.float32, "tf32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass
class StepResult:
    """The result of a step. Losses and clips are those of this process."""

    losses: dict[str, Tensor]  # parts of the loss by name, averaged over the clips
    gradient_norm: float  # before clipping
    moved: bool  # False: loss or gradient was not finite in some process, and all skipped the step
    overflowed: bool  # the step was skipped only because the scale of float16 gradients was too large
    failed_clips: list[str]  # of a skipped step: those whose loss was not finite, or all clips if every loss was finite


@dataclass
class Example:
    """A batch ready for the network: colours applied, with as many slots as needed, on the device."""

    images: Tensor  # (B, T, 3, H, W) in [0, 1]
    labels: Tensor  # (B, T, H, W) integers
    first_masks: Tensor  # (B, N, H, W) one-hot
    selector: Tensor | None  # (B, N) bool, True where a slot holds an object; None: padding slots take part
    num_objects: list[int]


def prepare_example(batch: ClipBatch, device: torch.device, padding_slots: int | None = None) -> Example:
    """Moves a batch to the device and gives it one slot for each object of the clip with the most objects.

    Args:
        padding_slots: The published behaviour: always use this many slots, and let the empty ones take part.
    """
    num_objects = batch.num_objects.tolist()
    batch = batch.to(device, non_blocking=True)
    num_slots = padding_slots or max(num_objects)
    first_masks = F.one_hot(batch.labels[:, 0].long(), 1 + num_slots)[..., 1:].permute(0, 3, 1, 2).float()
    selector = None
    if padding_slots is None:
        selector = torch.arange(num_slots, device=device) < batch.num_objects.unsqueeze(1)
    return Example(apply_colour(batch.images, batch.colour), batch.labels, first_masks, selector, num_objects)


def point_generator(seed: int, clip_number: int, device: torch.device) -> torch.Generator:
    """The generator for the points of one clip: the same however the batch is divided, and after an interruption."""
    mixed = int(np.random.SeedSequence([seed, clip_number]).generate_state(1, np.uint64)[0])
    return torch.Generator(device).manual_seed(mixed >> 1)  # shifted as Python's int: NumPy 1 cannot shift a uint64


class TrainingStep:
    """Computes the gradients of a batch, portion by portion, and updates the weights.

    Args:
        network: The network in training mode on `device`; with several processes, wrapped in DistributedDataParallel.
        padding_slots: As in `prepare_example`.

    Raises:
        ValueError: If stage.gradient_frames is less than 1.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
        stage: StageConfig,
        loss: LossConfig,
        precision: str,
        seed: int,
        padding_slots: int | None,
        device: torch.device,
    ):
        if stage.gradient_frames is not None and stage.gradient_frames < 1:
            raise ValueError(f"gradient_frames={stage.gradient_frames} must be 1 or more, or null for all frames")
        self.network, self.optimizer, self.scaler = network, optimizer, scaler
        self.stage, self.loss, self.seed = stage, loss, seed
        self.dtype, self.tf32 = PRECISIONS[precision], precision == "tf32"
        self.padding_slots, self.device = padding_slots, device

    def __call__(self, iteration: int, portions: Iterable[tuple[list[int], ClipBatch]]) -> StepResult:
        """Trains on one batch.

        Args:
            portions: `stage.accumulation` pairs of clip numbers and clips.
        """
        buffers = [buffer.clone() for buffer in self.network.buffers()]
        set_learning_rates(self.optimizer, learning_rate_factor(iteration, self.stage))
        self.optimizer.zero_grad()
        losses, names = [], []
        for number, (clip_numbers, batch) in enumerate(portions, start=1):
            losses.append(self.add_gradients(batch, clip_numbers, last=number == self.stage.accumulation))
            names += batch.names
        result = self.judge({name: torch.cat([part[name] for part in losses]) for name in losses[0]}, names)
        if result.moved:
            self.scaler.step(self.optimizer)
        else:
            for buffer, old in zip(self.network.buffers(), buffers, strict=True):
                buffer.copy_(old)
        self.scaler.update()
        return result

    def add_gradients(self, batch: ClipBatch, clip_numbers: Sequence[int], last: bool) -> dict[str, Tensor]:
        """Adds the gradients of one portion; returns the parts of each clip's loss. The last portion exchanges them."""
        example = prepare_example(batch, self.device, self.padding_slots)
        with self.exchange_if(last), float32_products(self.tf32):
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
                predictions = self.network(
                    example.images, example.first_masks, example.selector, self.stage.gradient_frames
                )
            losses = losses_of_clips(
                predictions,
                example.labels[:, -len(predictions) :],
                example.num_objects,
                self.loss,
                self.stage.num_points,
                [point_generator(self.seed, number, self.device) for number in clip_numbers],
            )
            loss = torch.stack(list(losses.values())).sum(0).mean() / self.stage.accumulation
            self.scaler.scale(loss).backward()
        return {name: part.detach() for name, part in losses.items()}

    def exchange_if(self, last: bool) -> AbstractContextManager:
        """Makes several processes exchange gradients only once per batch."""
        if isinstance(self.network, DistributedDataParallel) and not last:
            return self.network.no_sync()
        return nullcontext()

    def judge(self, losses: dict[str, Tensor], names: list[str]) -> StepResult:
        """Clips the gradients, and checks together with the other processes whether everything is finite.

        Here the CPU waits for the GPU: what it needs to know of the step is read at once.
        """
        norm, *finite = self.clip(losses).tolist()
        bad_loss, bad_gradient = any_process(not all(finite), not np.isfinite(norm), device=self.device)
        failed = [name for name, good in zip(names, finite, strict=True) if not good]
        return StepResult(
            losses={name: part.mean() for name, part in losses.items()},
            gradient_norm=norm,
            moved=not (bad_loss or bad_gradient),
            overflowed=bad_gradient and not bad_loss and self.scaler.get_scale() > 1,
            failed_clips=failed if bad_loss else names * bad_gradient,
        )

    def clip(self, losses: dict[str, Tensor]) -> Tensor:
        """Clips the gradients. Returns (1 + B,): their norm before, and for each clip 1 if its loss is finite, or 0."""
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.stage.clip_gradient_norm)
        finite = torch.stack(list(losses.values())).isfinite().all(dim=0)
        return torch.cat([norm.reshape(1), finite.to(norm.dtype)])
