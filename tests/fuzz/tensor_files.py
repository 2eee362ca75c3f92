"""Damage weights and training checkpoints at random, and see how their readers respond.

    python tests/fuzz/tensor_files.py weights --count 3000
    python tests/fuzz/tensor_files.py checkpoints --count 3000 --seed 7

A damaged file must be refused with one sentence that names it, or be read as if it were intact. Ends with status 1 and
shows an example of each kind where that was not so. The last line counts the verdicts, as JSON.
"""

import argparse
import hashlib
import io
import json
import random
import resource
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from fuzz.damage import damaged_near_an_end
from safetensors.torch import save as safetensors_bytes
from tiny_evaluation import TINY_MODEL
from torch import Tensor, nn

from livos.build import build_model
from livos.checkpoints import load_weights
from livos.config.schema import StageConfig
from livos.distributed import Process
from livos.files.checksums import CHECKSUMS, sha256
from livos.model.config import ModelConfig
from livos.training.metrics_log import RunningMean
from livos.training.optimizer import averaged, make_optimizer
from livos.training.training_state import Progress, checkpoints_in, load_checkpoint, restore, save_checkpoint

GOOD = ("refused", "as if whole")
SECONDS = 10  # that reading a small file may take at most
MEMORY = 2**30  # bytes by which reading a small file may grow this process at most
ALONE = Process(0, 1, torch.device("cpu"))


def tiny_network() -> nn.Module:
    return build_model(ModelConfig(**TINY_MODEL), seed=0)


def fingerprint(states: Any) -> str:
    """The same for equal nested states, whatever they contain."""
    digest = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, Tensor):
            digest.update(value.contiguous().view(torch.uint8).numpy().tobytes() if value.ndim else str(value).encode())
        elif isinstance(value, dict):
            for key, part in value.items():
                digest.update(str(key).encode())
                add(part)
        elif isinstance(value, (list, tuple)):
            for part in value:
                add(part)
        else:
            digest.update(repr(value).encode())

    add(states)
    return digest.hexdigest()


class OutOfTimeError(BaseException):
    """No Exception, which readers may take for damage."""


class Weights:
    """`load_weights`, for files as torch writes them now, as it did, and for safetensors, with a list of checksums."""

    def __init__(self, folder: Path) -> None:
        self.network, self.checksums_path = tiny_network(), folder / CHECKSUMS
        state = self.network.state_dict()
        now, before = io.BytesIO(), io.BytesIO()
        torch.save(state, now)
        torch.save(state, before, _use_new_zipfile_serialization=False)
        self.bases = [(".pth", now.getvalue()), (".pth", before.getvalue()), (".safetensors", safetensors_bytes(state))]

    def prepare(self, path: Path) -> None:
        """The list knows the intact file; what torch writes now has its own checksums."""
        listed = path.read_bytes() != self.bases[0][1]
        self.checksums_path.write_text(f"{sha256(path)}  {path.name}\n" if listed else "")

    def read(self, path: Path) -> str:
        return fingerprint(load_weights(self.network, path).state_dict())


class Checkpoints:
    """`load_checkpoint` and `restore`, for a run with all kinds of parts that has made a step."""

    def __init__(self, folder: Path) -> None:
        network = tiny_network()
        optimizer = make_optimizer(network, StageConfig())
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        means = RunningMean()
        means.add({"loss": 1.5, "gradient_norm": 3.0})
        average = averaged(network, 0.9)
        average.update_parameters(network)
        scaler = torch.amp.GradScaler("cpu", enabled=True)
        self.parts: dict[str, Any] = {"network": network, "optimizer": optimizer, "scaler": scaler, "means": means}
        self.parts["average"] = average
        save_checkpoint(folder / "whole", Progress("main_training", 7), self.parts, ALONE, keep=1)
        self.bases = [(".pt", checkpoints_in(folder / "whole")[0].read_bytes())]

    def prepare(self, path: Path) -> None:
        pass

    def read(self, path: Path) -> str:
        checkpoint = load_checkpoint(path)
        restore(checkpoint, self.parts, ALONE)
        return fingerprint([vars(checkpoint.progress), *(part.state_dict() for part in self.parts.values())])


READERS: dict[str, Callable[[Path], Any]] = {"weights": Weights, "checkpoints": Checkpoints}


def verdict(read: Callable[[Path], str], path: Path, whole: str) -> tuple[str, str]:
    """How the reader responded to a file, and an explanation."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.alarm(SECONDS)
    try:
        found = read(path)
    except OutOfTimeError:
        return "endless", f"more than {SECONDS} s"
    except (ValueError, OSError) as error:
        text = str(error)
        if path.name not in text:
            return "without the path", text
        if "\n" in text or "weights_only" in text:
            return "no plain sentence", text
    except BaseException as error:
        return "traceback", f"{type(error).__name__}: {error}"
    else:
        return ("as if whole", "") if found == whole else ("read as something else", "")
    finally:
        signal.alarm(0)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return ("refused", text) if grown < MEMORY else ("too much memory", f"{grown:,} bytes")


def fuzz(kind: str, count: int, seed: int, folder: Path) -> tuple[Counter, dict[str, str]]:
    """How often each verdict occurred, and an example of each that must not occur."""

    def out_of_time(*_: Any) -> None:
        raise OutOfTimeError

    signal.signal(signal.SIGALRM, out_of_time)
    reader = READERS[kind](folder)
    expected: dict[bytes, str] = {}
    verdicts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for number in range(count):
        chance = random.Random(f"{kind} {seed} {number}")
        suffix, whole = chance.choice(reader.bases)
        path = folder / f"input{suffix}"
        path.write_bytes(whole)
        reader.prepare(path)
        if whole not in expected:
            expected[whole] = reader.read(path)
        path.write_bytes(damaged_near_an_end(whole, chance))
        found, explanation = verdict(reader.read, path, expected[whole])
        verdicts[found] += 1
        if found not in GOOD:
            examples.setdefault(found, f"number {number} ({suffix}): {explanation}")
    return verdicts, examples


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(READERS))
    parser.add_argument("--count", type=int, default=300, help="damaged files to read (default: 300)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        verdicts, examples = fuzz(options.kind, options.count, options.seed, Path(folder))
    for found, example in examples.items():
        print(f"{found}: {example}")
    print(json.dumps(verdicts))
    return 1 if examples else 0


if __name__ == "__main__":
    sys.exit(main())
