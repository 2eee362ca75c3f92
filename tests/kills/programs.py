"""The programs that are killed, small trainings and evaluations: their commands, and their results."""

import hashlib
import json
import os
import socket
import sys
from abc import ABC, abstractmethod
from pathlib import Path

from omegaconf import OmegaConf
from PIL import Image
from tiny_evaluation import TINY_MODEL
from tiny_sets import numbered, write_video
from training_data import tiny_settings, write_videos

from livos.files.tensor_files import load_tensors

REPOSITORY = Path(__file__).resolve().parents[2]


class Program(ABC):
    """A program that resumes where it was interrupted, in its own folder below `root`, its working directory."""

    def __init__(self, root: Path, num_processes: int) -> None:
        self.root, self.num_processes = root, num_processes

    def command(self, name: str) -> list[str]:
        """What to give to Python: the script, or torchrun, and arguments. It writes to the folder `name`."""
        if self.num_processes == 1:
            return self.arguments(name)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        torchrun = [f"--nproc_per_node={self.num_processes}", f"--master_port={port}"]
        return ["-m", "torch.distributed.run", *torchrun, *self.arguments(name)]

    @abstractmethod
    def arguments(self, name: str) -> list[str]:
        """The script and its arguments."""

    @abstractmethod
    def result(self, name: str) -> dict[str, object]:
        """What must be the same no matter how often the program was killed, by name."""

    @abstractmethod
    def unreadable(self, name: str) -> list[str]:
        """Files that have their final names and cannot be read, each with the reason."""

    def is_writing(self, name: str) -> bool:
        return next((self.root / name).rglob(".*.part*"), None) is not None


class Training(Program):
    """Thirty iterations with a worker; a checkpoint after every third one."""

    def __init__(self, root: Path, num_processes: int) -> None:
        super().__init__(root, num_processes)
        write_videos(root)
        for group, settings in (("model", TINY_MODEL), ("data", tiny_settings(root, num_frames=3))):
            (root / "config" / group).mkdir(parents=True)
            OmegaConf.save(OmegaConf.create(settings), root / "config" / group / "tiny.yaml")

    def arguments(self, name: str) -> list[str]:
        return [
            *(str(REPOSITORY / "livos" / "train.py"), "--config-dir", "config", "exp_id=killed", f"output_dir={name}"),
            *("model=tiny", "data=tiny", "device=cpu", "pretrained=false", "resume=auto", "num_workers=1"),
            *("main_training.batch_size=4", "main_training.num_points=40", "main_training.iterations=30"),
            *("log_every=1", "checkpoint_every=3", "weights_every=4", "keep_checkpoints=2", "average_decay=0.9"),
        ]

    def result(self, name: str) -> dict[str, object]:
        lines = map(json.loads, (self.root / name / "metrics.jsonl").read_text().splitlines())
        losses = [(line["iteration"], line["loss"], line["gradient_norm"]) for line in lines]
        weights = load_tensors(self.root / name / "weights" / "last.pth")
        return {"losses": losses, **{entry: x.tolist() for entry, x in weights.items()}}

    def unreadable(self, name: str) -> list[str]:
        faults = []
        for path in [*(self.root / name).glob("*/[!.]*.pt"), *(self.root / name).glob("*/[!.]*.pth")]:
            try:
                load_tensors(path)
            except (ValueError, OSError) as error:
                faults.append(str(error))
        return faults


class Evaluation(Program):
    """Three videos of twelve frames, with masks and probabilities."""

    def __init__(self, root: Path, num_processes: int) -> None:
        super().__init__(root, num_processes)
        for video in "abc":
            given = {"00000": [1, 2], "00006": [7]}
            write_video(root / "images", root / "masks", video, numbered(12), given)

    def arguments(self, name: str) -> list[str]:
        return [
            *(str(REPOSITORY / "livos" / "eval.py"), "dataset=generic", "image_directory=images", "weights=untrained"),
            *("mask_directory=masks", "device=cpu", f"output_dir={name}", "save_scores=true"),
            *(f"model.{key}={str(value).replace(' ', '')}" for key, value in TINY_MODEL.items()),
        ]

    def result(self, name: str) -> dict[str, object]:
        folder = self.root / name
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in (".png", ".npz")]
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    def unreadable(self, name: str) -> list[str]:
        faults = []
        for path in (self.root / name).glob("Annotations/*/[!.]*.png"):
            try:
                with Image.open(path, formats=["PNG"]) as image:
                    image.load()
            except (ValueError, OSError, SyntaxError) as error:
                faults.append(f"{path}: {error}")
        return faults


PROGRAMS = {"training": Training, "evaluation": Evaluation}


def environment() -> dict[str, str]:
    """The environment of a program, with this checkout first."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
