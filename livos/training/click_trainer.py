"""Trains the head that turns clicks into a mask, on top of an image encoder that stays as it is.

Each iteration takes crops around single objects, then clicks several times where the head's own answer is most wrong.
Everything random in an iteration follows from the seed and its number, so a run that was stopped continues as if it had
not been.
"""

from __future__ import annotations

import copy
import logging
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from livos.checkpoints import save_weights
from livos.clicks.head import NO_CLICK, ClickHead, CropFeatures
from livos.clicks.simulation import next_click
from livos.files.tensor_files import first_line, load_tensors, save_tensors
from livos.model.network import LiVOS
from livos.training.click_data import KEPT_OUT_PER_SET, SHARES, Mask, Picture, random_crop
from livos.training.states import refuse_unlike, refuse_unlike_state

log = logging.getLogger(__name__)

ROUNDS = 2  # answers per crop that are trained on
BOX_SHARE = 0.25  # of the crops begin with a box
LATE = {0: 0.6, 1: 0.25, 3: 0.15}  # how many answers come before those, and how often: a crop gets up to five clicks
AVERAGE_DECAY = 0.998
WARMUP = 50  # iterations over which the learning rate rises

Clicks = list[tuple[float, float, int]]


@dataclass(frozen=True)
class ClickSettings:
    """What a run is asked to do.

    Attributes:
        iterations: After how many the run ends.
        cooldown: Iterations at the end over which the learning rate falls to 0.
        batch_size: Crops per iteration.
        size: Side of the crops in pixels, a multiple of 16.
        learning_rate: Between its rise and its fall.
        seed: For everything random.

    Raises:
        ValueError: If a number cannot be used. The message names it.
    """

    iterations: int = 2900
    cooldown: int = 1000
    batch_size: int = 8
    size: int = 192
    learning_rate: float = 1.5e-3
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("iterations", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: expected 1 or more")
        if not 0 <= self.cooldown <= self.iterations:
            raise ValueError(f"cooldown is {self.cooldown}: expected 0 to {self.iterations}, the number of iterations")
        if self.size < 32 or self.size % 16:
            raise ValueError(f"size is {self.size}: expected a multiple of 16, 32 or more")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is {self.learning_rate}: expected a number above 0")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}: expected 0 or more")

    def learning_rate_at(self, iteration: int) -> float:
        """The learning rate of an iteration, counted from 0: it rises, is steady, and falls to 0 at the end."""
        left = min(1.0, (self.iterations - iteration) / max(1, self.cooldown))
        return self.learning_rate * left * min(1.0, (iteration + 1) / WARMUP)


def lists_of_clicks(clicks: list[Clicks]) -> Tensor:
    """(B, P, 3) from one list per crop; shorter lists are filled up with NO_CLICK."""
    longest = max(1, *map(len, clicks))
    filled = [[*each, *[(0.0, 0.0, NO_CLICK)] * (longest - len(each))] for each in clicks]
    return torch.tensor(filled, dtype=torch.float32)


def drawn_boxes(masks: Mask, generator: np.random.Generator) -> Tensor:
    """(B, 4): slightly inaccurate boxes around some of the objects of masks (B, H, W); NaN for the others."""
    boxes = torch.full((len(masks), 4), torch.nan)
    for i, mask in enumerate(masks):
        if generator.random() < BOX_SHARE:
            rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
            x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
            off = generator.normal(0, 0.04, 4) * [x1 - x0, y1 - y0, x1 - x0, y1 - y0]
            boxes[i] = torch.from_numpy(np.array([x0, y0, x1, y1]) + off)
    return boxes


def click_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross entropy, weighted towards pixels where the answer is wrong, plus 1 - the soft IoU. Both (B, 1, H, W)."""
    entropy = F.binary_cross_entropy_with_logits(logits, masks, reduction="none")
    probabilities = logits.sigmoid()
    wrong = (probabilities - masks).abs().detach()
    focal = (wrong * entropy).sum((1, 2, 3)) / (wrong.sum((1, 2, 3)) + 0.02 * wrong[0].numel())
    both = (probabilities * masks).sum((1, 2, 3))
    either = (probabilities + masks).sum((1, 2, 3)) - both
    return (focal + entropy.mean((1, 2, 3)) + 1 - (both + 1) / (either + 1)).mean()


class ClickTrainer:
    """The head, its average, and everything else that a run resumes from.

    Args:
        network: The one whose image encoder the head uses. Its weights stay as they are.
        pictures: To train on, by set, as `click_data.split` returns them.
        settings: What the run is asked to do.
        folder: For the run's files. If there is a state in it, the run resumes from that.

    Raises:
        OSError: If the state in the folder cannot be read.
        ValueError: If that file is damaged or holds something else (the message names it), or if a set has no pictures.
    """

    def __init__(self, network: LiVOS, pictures: dict[str, list[Picture]], settings: ClickSettings, folder: Path):
        if empty := [name for name in SHARES if not pictures[name]]:
            raise ValueError(
                f"no pictures to train on in {', '.join(empty)}: of coco and ccp, {KEPT_OUT_PER_SET} each are kept for "
                "testing, so more are needed"
            )
        torch.manual_seed(settings.seed)
        self.pictures, self.settings = pictures, settings
        network.eval().requires_grad_(False)
        self.encoder = network.image_encoder.to(memory_format=torch.channels_last)
        self.normalize = network.normalize
        self.head = ClickHead(self.encoder.channels).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.head).eval()
        self.optimizer = torch.optim.AdamW(self.head.parameters(), lr=settings.learning_rate, weight_decay=0.01)
        self.iteration = 0
        self.seconds = 0.0  # spent on iterations, in all runs together
        self.path, self.weights_path = folder / "last.pth", folder / "click-head.safetensors"
        if self.path.is_file():
            self._restore()

    @property
    def _parts(self) -> dict[str, Any]:
        return {"head": self.head, "average": self.average, "optimizer": self.optimizer}

    def _restore(self) -> None:
        """Restores the state in the folder."""
        state = load_tensors(self.path)
        try:
            for name, part in self._parts.items():
                refuse_unlike_state(state[name], part, name)
                part.load_state_dict(state[name])
            refuse_unlike(state["iteration"], 0, "iteration")
            refuse_unlike(state["seconds"], 0.0, "seconds")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{self.path} is not a state of this training, or is damaged: {first_line(error)}"
            ) from error
        self.iteration, self.seconds = int(state["iteration"]), state["seconds"]
        earlier = state.get("settings", {})
        if changed := [
            f"{key} {now} (was {earlier[key]})"
            for key, now in asdict(self.settings).items()
            if earlier.get(key, now) != now
        ]:
            log.warning("continuing with other settings: %s", ", ".join(changed))

    def save(self) -> None:
        """Writes the averaged weights, then the state: a run that ends in between resumes from the previous state."""
        save_weights(self.average, self.weights_path, half=True)
        state = {name: part.state_dict() for name, part in self._parts.items()}
        state |= {"iteration": self.iteration, "seconds": self.seconds, "settings": asdict(self.settings)}
        save_tensors(state, self.path)

    def step(self) -> tuple[float, list[float]]:
        """One iteration.

        Returns:
            The loss, and the mean IoU of each answer.

        Raises:
            FloatingPointError: If the gradient is not finite. The head is as it was before.
            ValueError: If a picture or its mask is damaged, or no objects are found to train on.
            OSError: If a picture or its mask cannot be read.
        """
        generator = np.random.default_rng((self.settings.seed, self.iteration))
        crops = [random_crop(self.pictures, self.settings.size, generator) for _ in range(self.settings.batch_size)]
        images = torch.from_numpy(np.stack([image for image, _ in crops])).permute(0, 3, 1, 2).float() / 255
        masks = np.stack([mask for _, mask in crops])
        boxes = drawn_boxes(masks, generator)
        late = int(generator.choice(list(LATE), p=list(LATE.values())))
        with torch.autocast("cpu", torch.bfloat16):
            images = self.normalize(images.contiguous(memory_format=torch.channels_last))
            with torch.no_grad():
                pyramid = self.encoder(images)
            loss, overlaps = self._answered(self.head.look(images, pyramid), masks, boxes, late, generator)
        self._update(loss)
        return float(loss.detach()), overlaps

    def _answered(
        self, features: CropFeatures, masks: Mask, boxes: Tensor, late: int, generator: np.random.Generator
    ) -> tuple[Tensor, list[float]]:
        """The mean loss of the answers after the first `late` ones, and the mean IoU of each answer."""
        truth = F.avg_pool2d(torch.from_numpy(masks[:, None]).float(), 2)
        clicks: list[Clicks] = [[] for _ in masks]
        answers, last = np.zeros_like(masks), torch.zeros_like(truth)
        total, overlaps = torch.zeros(()), []
        for turn in range(late + ROUNDS):
            for i, each in enumerate(clicks):
                if turn == 0 and boxes[i].isfinite().all():
                    continue  # the box alone
                if (click := next_click(masks[i], answers[i], generator)) is not None:
                    each.append(click)
            with torch.set_grad_enabled(turn >= late):
                logits = self.head(features, lists_of_clicks(clicks), boxes, last)
                if turn >= late:
                    total = total + click_loss(logits, truth)
            last = logits.detach()
            answers = (F.interpolate(last, scale_factor=2, mode="bilinear")[:, 0] > 0).numpy()
            either = (answers | masks).sum((1, 2))
            overlaps.append(float(((answers & masks).sum((1, 2)) / np.maximum(1, either)).mean()))
        return total / ROUNDS, overlaps

    def _update(self, loss: Tensor) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate_at(self.iteration)
        self.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        if not norm.isfinite():
            raise FloatingPointError(f"iteration {self.iteration}: the loss is {loss:g}, its gradient's norm {norm:g}")
        self.optimizer.step()
        self.iteration += 1
        decay = min(AVERAGE_DECAY, self.iteration / (self.iteration + 20))
        for mean, new in zip(self.average.state_dict().values(), self.head.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(new, 1 - decay)
