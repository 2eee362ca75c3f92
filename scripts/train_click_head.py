"""Train the head that turns clicks into a mask, on the image encoder of livos-lite, which stays as it is.

    python scripts/train_click_head.py --data ../data --output ./click_head

--data contains static/ecssd, static/coco_objects, static/ccp, DAVIS/2016 and extra_videos, as for `data=wide`. Each
iteration takes crops about single objects, then clicks a few times where the head's answer is wrong most; each answer
is trained on. State is written every few minutes to last.pth in the output folder, from which the same command goes
on; the averaged weights are in click-head.safetensors. The learning rate is steady, and falls to 0 over the last
--cooldown iterations.
"""

import argparse
import copy
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from livos.acceleration.accelerate import without_batch_norms
from livos.checkpoints import save_weights
from livos.clicks.head import NO_CLICK, ClickHead
from livos.clicks.simulation import next_click
from livos.files.tensor_files import load_tensors, save_tensors
from livos.loading import load_model
from livos.training.click_data import Picture, click_pictures, random_crop, split

ROUNDS = 2  # answers that are trained on, per crop
BOX_SHARE = 0.25  # of the crops that begin with a box
LATE = {0: 0.6, 1: 0.25, 3: 0.15}  # answers before these, and how often: up to five clicks are seen
AVERAGE_DECAY = 0.998


def lists_of_clicks(clicks: list[list[tuple[float, float, int]]]) -> Tensor:
    """(B, P, 3) from one list per crop, filled up with places that are not used."""
    longest = max(1, *map(len, clicks))
    filled = [[*each, *[(0.0, 0.0, NO_CLICK)] * (longest - len(each))] for each in clicks]
    return torch.tensor(filled, dtype=torch.float32)


def drawn_boxes(masks: np.ndarray, generator: np.random.Generator) -> Tensor:
    """(B, 4) about some of the objects, a little off; NaN for the others."""
    boxes = torch.full((len(masks), 4), torch.nan)
    for i, mask in enumerate(masks):
        if generator.random() < BOX_SHARE:
            rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
            x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
            off = generator.normal(0, 0.04, 4) * [x1 - x0, y1 - y0, x1 - x0, y1 - y0]
            boxes[i] = torch.from_numpy(np.array([x0, y0, x1, y1]) + off)
    return boxes


def loss_of(logits: Tensor, masks: Tensor) -> Tensor:
    """The cross entropy, more of it where the answer is wrong, and 1 - the soft IoU. Both (B, 1, H, W)."""
    entropy = F.binary_cross_entropy_with_logits(logits, masks, reduction="none")
    probabilities = logits.sigmoid()
    wrong = (probabilities - masks).abs().detach()
    focal = (wrong * entropy).sum((1, 2, 3)) / (wrong.sum((1, 2, 3)) + 0.02 * wrong[0].numel())
    both = (probabilities * masks).sum((1, 2, 3))
    either = (probabilities + masks).sum((1, 2, 3)) - both
    return (focal + entropy.mean((1, 2, 3)) + 1 - (both + 1) / (either + 1)).mean()


class Trainer:
    """The head, its average, and all else that a run goes on from."""

    def __init__(self, args: argparse.Namespace, pictures: dict[str, list[Picture]]):
        torch.manual_seed(args.seed)
        self.args, self.pictures = args, pictures
        network = without_batch_norms(load_model("lite").eval()).requires_grad_(False)
        self.encoder, self.normalize = network.image_encoder, network.normalize
        self.encoder.to(memory_format=torch.channels_last)
        self.head = ClickHead(self.encoder.channels).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.head).eval()
        self.optimizer = torch.optim.AdamW(self.head.parameters(), lr=args.learning_rate, weight_decay=0.01)
        self.iteration = 0
        self.seconds = 0.0
        self.path = args.output / "last.pth"
        if self.path.is_file():
            state = load_tensors(self.path)
            self.head.load_state_dict(state["head"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.iteration, self.seconds = state["iteration"], state["seconds"]

    def save(self) -> None:
        """Writes the state, and the averaged weights beside it."""
        state = {
            "head": self.head.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "iteration": self.iteration,
            "seconds": self.seconds,
        }
        save_tensors(state, self.path)
        save_weights(self.average, self.args.output / "click-head.safetensors", half=True)

    def step(self) -> tuple[float, list[float]]:
        """One iteration. Returns the loss and the mean IoU of each answer."""
        args = self.args
        generator = np.random.default_rng((args.seed, self.iteration))
        crops = [random_crop(self.pictures, args.size, generator) for _ in range(args.batch_size)]
        images = torch.from_numpy(np.stack([image for image, _ in crops])).permute(0, 3, 1, 2).float() / 255
        masks = np.stack([mask for _, mask in crops])
        truth = F.avg_pool2d(torch.from_numpy(masks[:, None]).float(), 2)
        clicks: list[list[tuple[float, float, int]]] = [[] for _ in crops]
        boxes = drawn_boxes(masks, generator)
        answers = np.zeros_like(masks)
        last = torch.zeros_like(truth)
        late = int(generator.choice(list(LATE), p=list(LATE.values())))
        total, overlaps = torch.zeros(()), []
        with torch.autocast("cpu", torch.bfloat16):
            images = self.normalize(images.contiguous(memory_format=torch.channels_last))
            with torch.no_grad():
                pyramid = self.encoder(images)
            features = self.head.look(images, pyramid)
            for turn in range(late + ROUNDS):
                for i, each in enumerate(clicks):
                    if turn == 0 and boxes[i].isfinite().all():
                        continue  # the box alone
                    click = next_click(masks[i], answers[i], generator)
                    if click is not None:
                        each.append(click)
                with torch.set_grad_enabled(turn >= late):
                    logits = self.head(features, lists_of_clicks(clicks), boxes, last)
                    if turn >= late:
                        total = total + loss_of(logits, truth)
                last = logits.detach()
                answers = (F.interpolate(last, scale_factor=2, mode="bilinear")[:, 0] > 0).numpy()
                either = (answers | masks).sum((1, 2))
                overlaps.append(float(((answers & masks).sum((1, 2)) / np.maximum(1, either)).mean()))
        self._update(total / ROUNDS)
        return float(total.detach()) / ROUNDS, overlaps

    def _update(self, loss: Tensor) -> None:
        args = self.args
        left = min(1.0, (args.iterations - self.iteration) / max(1, args.cooldown))
        for group in self.optimizer.param_groups:
            group["lr"] = args.learning_rate * left * min(1.0, (self.iteration + 1) / 50)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        self.optimizer.step()
        self.iteration += 1
        decay = min(AVERAGE_DECAY, self.iteration / (self.iteration + 20))
        for mean, new in zip(self.average.state_dict().values(), self.head.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(new, 1 - decay)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--iterations", type=int, default=2900)
    parser.add_argument("--cooldown", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    try:
        pictures = split(click_pictures(args.data))[0]
        args.output.mkdir(parents=True, exist_ok=True)
        trainer = Trainer(args, pictures)
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    losses, overlaps = [], []
    while trainer.iteration < args.iterations:
        begin = time.perf_counter()
        loss, each = trainer.step()
        trainer.seconds += time.perf_counter() - begin
        losses.append(loss)
        overlaps.append(each[:ROUNDS])
        if trainer.iteration % 20 == 0:
            means = " ".join(f"{x:.3f}" for x in np.mean(overlaps, axis=0))
            minutes = trainer.seconds / 60
            print(f"{trainer.iteration} loss {np.mean(losses):.3f} IoU {means} {minutes:.1f} min", flush=True)
            losses, overlaps = [], []
        if trainer.iteration % args.save_every == 0 or trainer.iteration == args.iterations:
            trainer.save()


if __name__ == "__main__":
    main()
