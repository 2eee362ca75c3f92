"""How long a training step takes, by stage, and how much memory it uses, for each precision.

    python benchmarks/training.py                                          # model=lite, small crops: minutes on a CPU
    python benchmarks/training.py --model base --size 480 --batch 4 --precisions float32 bfloat16 float16
    python benchmarks/training.py --model base --size 480 --batch 4 --activation-checkpointing --channels-last

Clips are made from generated videos of 854 x 480 with two objects, in this process, and then trained on: `data` is the
time that preparing a batch takes on one core, which overlaps with the rest if num_workers is not 0. Each row runs in a
separate process, so that its peak memory is its own; --batch is the number of clips that one process computes at once.
On a GPU, seconds are wall-clock time. On a CPU, they are CPU time summed over the threads, which other programs on the
machine affect less.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import torch
from loader import write_generated_videos

from livos import build_model, model_names
from livos.config.choices import Precision
from livos.config.schema import LossConfig, StageConfig, TrainConfig
from livos.distributed import Process
from livos.pipeline.speed import peak_memory
from livos.training import step
from livos.training.data.loaders import make_loader
from livos.training.modes import prepare_network, to_training_mode
from livos.training.optimizer import make_optimizer

STAGES = ("data", "to device", "forward", "loss", "backward", "clipping", "optimiser")


class Stopwatch:
    """Seconds by stage; waits for the device before and after each."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, stage: str, function: Callable) -> Callable:
        def measured(*arguments, **options):
            start = self.now()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds[stage] += self.now() - start

        return measured

    def now(self) -> float:
        if self.device.type == "cpu":
            return time.process_time()
        torch.accelerator.synchronize() if hasattr(torch, "accelerator") else torch.cuda.synchronize()
        return time.perf_counter()


def make_step(options: argparse.Namespace, precision: str, device: torch.device) -> step.TrainingStep:
    """A training step as the trainer makes it."""
    config = TrainConfig(
        exp_id="benchmark",
        precision=Precision(precision),
        channels_last=options.channels_last,
        compile=options.compile,
        activation_checkpointing=options.activation_checkpointing,
    )
    stage = StageConfig(batch_size=options.batch, num_points=options.points)
    network = prepare_network(build_model(options.model, seed=0), config, Process(0, 1, device))
    to_training_mode(network, config.batch_norm)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
    optimizer = make_optimizer(network, stage)
    return step.TrainingStep(network, optimizer, scaler, stage, LossConfig(), precision, 0, None, device)


def run_steps(training_step: step.TrainingStep, options: argparse.Namespace, watch: Stopwatch) -> float:
    """Trains for some steps; returns the seconds for the last `options.steps` of them, by stage in `watch`."""
    with tempfile.TemporaryDirectory() as folder:
        data = write_generated_videos(Path(folder))
        data.size, data.num_frames = options.size, options.frames
        total = options.steps + options.warmup
        loader = make_loader(data, seed=0, batch_size=options.batch, num_iterations=total)
        clips = iter(loader)
        for iteration in range(total):
            if iteration == options.warmup:
                watch.seconds.clear()
                start = watch.now()
            batch = watch.timed("data", next)(clips)
            training_step(iteration, [(list(range(options.batch)), batch)])
        return watch.now() - start


def measure(options: argparse.Namespace, precision: str) -> None:
    """Prints one row of the table."""
    torch.set_flush_denormal(True)  # as livos/train.py does
    device = torch.device(options.device)
    watch, training_step = Stopwatch(device), make_step(options, precision, device)
    with (
        mock.patch.object(training_step.network, "forward", watch.timed("forward", training_step.network.forward)),
        mock.patch.object(training_step, "judge", watch.timed("clipping", training_step.judge)),
        mock.patch.object(training_step.scaler, "step", watch.timed("optimiser", training_step.scaler.step)),
        mock.patch.object(step, "prepare_example", watch.timed("to device", step.prepare_example)),
        mock.patch.object(step, "losses_of_clips", watch.timed("loss", step.losses_of_clips)),
        mock.patch.object(torch.Tensor, "backward", watch.timed("backward", torch.Tensor.backward)),
    ):
        seconds = run_steps(training_step, options, watch)
    parts = "".join(f"{watch.seconds[stage] / options.steps:11.3f}" for stage in STAGES)
    memory = (peak_memory(device) or 0) / 2**20
    print(f"{precision:<10}{seconds / options.steps:11.3f}{parts}{memory:11.0f}", flush=True)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lite", choices=model_names())
    parser.add_argument("--size", type=int, default=192, help="side of the crops in pixels")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--batch", type=int, default=2, help="clips that are computed at once")
    parser.add_argument("--points", type=int, default=12_544, help="points of a frame for the loss")
    parser.add_argument("--precisions", nargs="+", default=["float32"], choices=list(step.PRECISIONS))
    parser.add_argument("--steps", type=int, default=5, help="steps that are timed")
    parser.add_argument("--warmup", type=int, default=2, help="steps before them")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--activation-checkpointing", action="store_true")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    shape = f"{options.batch} clips of {options.frames} frames of {options.size} x {options.size}"
    print(f"model={options.model}, {shape}, {options.device}, {torch.get_num_threads()} threads; seconds per step")
    print("precision " + "".join(f"{name:>11}" for name in ("total", *STAGES, "peak MiB")), flush=True)
    for precision in options.precisions:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(options, precision))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
