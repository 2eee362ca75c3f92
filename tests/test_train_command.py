"""The command that people type, in processes of its own: interrupted by force, told to stop, on two processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf
from tiny_training import TINY, free_port
from training_data import tiny_settings, write_videos

from livos.config.schema import TrainConfig
from livos.train import main  # importing it registers the schema

REPOSITORY = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
ITERATIONS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Videos, and settings for them in a config folder as users have it."""
    folder = tmp_path_factory.mktemp("train")
    write_videos(folder)
    for group, settings in (("model", TINY), ("data", tiny_settings(folder, num_frames=3))):
        (folder / "config" / group).mkdir(parents=True)
        OmegaConf.save(OmegaConf.create(settings), folder / "config" / group / "tiny.yaml")
    return folder


def command(folder: Path, name: str, *settings: str, num_processes: int = 1) -> list[str]:
    """`python livos/train.py` or `torchrun livos/train.py` with settings for a short run."""
    launcher = [sys.executable]
    if num_processes > 1:
        options = [f"--master_port={free_port()}", "--max-restarts=1"]
        launcher += ["-m", "torch.distributed.run", f"--nproc_per_node={num_processes}", *options]
    return [
        *launcher,
        str(REPOSITORY / "livos" / "train.py"),
        "--config-dir",
        str(folder / "config"),
        f"exp_id={name}",
        "model=tiny",
        "data=tiny",
        "device=cpu",
        "pretrained=false",
        "main_training.batch_size=4",
        "main_training.accumulation=2",
        "main_training.num_points=40",
        f"main_training.iterations={ITERATIONS}",
        "log_every=1",
        "checkpoint_every=3",
        *settings,
    ]


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(arguments, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process: subprocess.Popen) -> str:
    output = process.communicate(timeout=300)[0].decode()
    assert process.returncode == 0, output
    return output


def experiment(folder: Path, name: str) -> Path:
    (found,) = folder.glob(f"model_*/{name}")
    return found


def losses(folder: Path, name: str) -> list[tuple[int, float]]:
    lines = (experiment(folder, name) / "metrics.jsonl").read_text().splitlines()
    return [(record["iteration"], record["loss"]) for record in map(json.loads, lines)]


def wait_for_iteration(folder: Path, name: str, iteration: int, process: subprocess.Popen) -> None:
    """Until the run has logged that many iterations."""
    for _ in range(6000):
        paths = list(folder.glob(f"model_*/{name}/metrics.jsonl"))
        if paths and len(paths[0].read_text().splitlines()) >= iteration:
            return
        assert process.poll() is None, process.communicate()[0].decode()
        time.sleep(0.05)
    raise AssertionError("the run did not get there in five minutes")


def kill_a_worker(torchrun: subprocess.Popen) -> None:
    """One of the training processes, which torchrun is to notice."""
    children = Path(f"/proc/{torchrun.pid}/task/{torchrun.pid}/children").read_text()
    os.kill(int(children.split()[-1]), signal.SIGKILL)


def test_a_killed_run_continues_with_the_losses_of_one_that_was_not(folder):
    whole = start(folder, *command(folder, "whole", "num_workers=0"))
    killed = start(folder, *command(folder, "killed", "num_workers=1"))
    wait_for_iteration(folder, "killed", 5, killed)
    killed.kill()  # SIGKILL: nothing can be saved now
    killed.communicate()
    finish(whole)
    output = finish(start(folder, *command(folder, "killed", "num_workers=1", "resume=auto")))
    assert "continuing" in output
    assert losses(folder, "killed") == losses(folder, "whole")
    assert [iteration for iteration, _ in losses(folder, "whole")] == list(range(1, ITERATIONS + 1))
    assert not list(folder.glob("*.log"))  # what a run leaves is in its experiment's folder


@pytest.mark.skipif(sys.platform != "linux", reason="finding the processes of torchrun takes Linux")
def test_two_processes_survive_the_death_of_one_and_stop_when_told(folder):
    settings = ("num_workers=1", "main_training.accumulation=1", "main_training.iterations=1000")
    torchrun = start(folder, *command(folder, "two", *settings, num_processes=2))
    wait_for_iteration(folder, "two", 5, torchrun)
    before = losses(folder, "two")
    kill_a_worker(torchrun)  # torchrun starts both again, which go on from the checkpoint of iteration 3 or later
    wait_for_iteration(folder, "two", len(before) + 3, torchrun)
    torchrun.send_signal(signal.SIGTERM)
    output = torchrun.communicate(timeout=300)[0].decode()
    assert "continuing" in output and "told to stop at iteration" in output, output
    after = losses(folder, "two")
    assert after[: len(before)] == before
    assert [iteration for iteration, _ in after] == list(range(1, len(after) + 1))
    saved = sorted((experiment(folder, "two") / "checkpoints").glob("main_training_*.pt"))[-1]
    assert int(saved.stem[-8:]) == after[-1][0]


@pytest.mark.parametrize("data", ["base", "with-mose", "mega", "small"])
def test_every_mixture_composes_with_the_published_command(data):
    assert callable(main)
    with initialize_config_module("livos.config", version_base="1.3"):
        settings = compose("train_config", ["exp_id=first_try", "model=base", f"data={data}", "data.root=somewhere"])
    config = OmegaConf.to_object(settings)
    assert isinstance(config, TrainConfig)
    assert config.main_training.iterations == 125_000 and config.main_training.batch_size == 16
    assert not config.pre_training.enabled
    assert config.data.root == config.image_data.root == config.validation.dataset.data_root == "somewhere"
    assert config.data.video_sets and config.image_data.image_sets


def test_an_unknown_setting_is_named():
    with (
        initialize_config_module("livos.config", version_base="1.3"),
        pytest.raises(ConfigCompositionException, match="iteratons"),
    ):
        compose("train_config", ["exp_id=first_try", "main_training.iteratons=5"])
