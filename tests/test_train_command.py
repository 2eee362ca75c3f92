"""The command that people type, in separate processes: killed, told to stop, and on two processes."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf
from processes import children_of, end_all, is_alive, needs_proc, wait_until
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


_started: list[subprocess.Popen] = []


@pytest.fixture(autouse=True)
def nothing_left_running():
    """Ends whatever a test has started, even if it fails."""
    yield
    for process in _started:
        end_all([*children_of(process.pid), process.pid])
        process.wait(timeout=60)
    _started.clear()


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    process = subprocess.Popen(arguments, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    _started.append(process)
    return process


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


def ranks_of(torchrun: subprocess.Popen) -> list[int]:
    """The training processes of torchrun."""
    children = Path(f"/proc/{torchrun.pid}/task/{torchrun.pid}/children").read_text()
    return [int(child) for child in children.split()]


def spoil_images(folder: Path) -> None:
    for path in (folder / "videos/JPEGImages").rglob("*.png"):
        path.write_bytes(b"no image")


def checkpoints(folder: Path, name: str) -> list[int]:
    return [int(path.stem[-8:]) for path in sorted((experiment(folder, name) / "checkpoints").glob("*.pt"))]


ENDLESS = ("num_workers=2", "main_training.iterations=100000")


def test_a_killed_run_continues_with_the_losses_of_one_that_was_not(folder):
    whole = start(folder, *command(folder, "whole", "num_workers=0"))
    killed = start(folder, *command(folder, "killed", "num_workers=1"))
    wait_for_iteration(folder, "killed", 5, killed)
    killed.kill()  # SIGKILL: nothing can be saved now
    killed.communicate()
    finish(whole)
    leftover = experiment(folder, "killed") / f"checkpoints/.main_training_00000006.{killed.pid}-7.part.pt"
    leftover.write_bytes(b"half")
    output = finish(start(folder, *command(folder, "killed", "num_workers=1", "resume=auto")))
    assert "continuing" in output
    assert losses(folder, "killed") == losses(folder, "whole")
    assert [iteration for iteration, _ in losses(folder, "whole")] == list(range(1, ITERATIONS + 1))
    assert not list(folder.glob("*.log"))  # what a run leaves is in its experiment's folder
    assert not leftover.exists() and not (experiment(folder, "killed") / ".in-use").exists()


@needs_proc
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_saves_a_checkpoint_and_ends_with_its_workers(folder, number, status):
    name = f"interrupted{status}"
    process = start(folder, *command(folder, name, *ENDLESS))
    wait_for_iteration(folder, name, 2, process)
    workers = children_of(process.pid)
    second = start(folder, *command(folder, name, "num_workers=0", "resume=auto"))
    output = second.communicate(timeout=300)[0].decode()
    assert second.returncode == 2 and f"in use by a training, process {process.pid} on" in output, output
    for one in (*workers, process.pid):  # as some schedulers do: everybody is told
        os.kill(one, number)
    output = process.communicate(timeout=300)[0].decode()
    done = losses(folder, name)[-1][0]
    assert process.returncode == status and len(workers) >= 2
    assert output.endswith(
        f"[ERROR] - interrupted by {signal.Signals(number).name}: iteration {done} of main_training is saved; "
        "resume=auto continues from there\n"
    )
    assert checkpoints(folder, name)[-1] == done and not any(map(is_alive, workers))


def kill_one(workers: list[int], root: Path) -> None:
    os.kill(workers[0], signal.SIGKILL)


@needs_proc
@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda workers, root: spoil_images(root), r".*/JPEGImages/video\d/\d{5}\.png[: ].*\n"),
        (kill_one, r"a process that prepares clips was killed \(.*\)\. If memory is short, .* num_workers\n"),
    ],
)
def test_an_error_of_a_worker_ends_the_run_with_one_sentence(folder, tmp_path, harm, message):
    shutil.copytree(folder / "videos", tmp_path / "videos")
    process = start(folder, *command(folder, "x", *ENDLESS, f"data.root={tmp_path}", f"output_dir={tmp_path}/x"))
    wait_until((tmp_path / "x/metrics.jsonl").exists, "the first iteration")
    workers = children_of(process.pid)
    harm(workers, tmp_path)
    output = process.communicate(timeout=300)[0].decode()
    assert process.returncode == 2 and re.search(rf"\[ERROR\] - {message}$", output), output
    assert "Traceback" not in output and not any(map(is_alive, workers))


@needs_proc
def test_a_killed_run_takes_its_workers_along(folder):
    process = start(folder, *command(folder, "workers", *ENDLESS))
    wait_for_iteration(folder, "workers", 1, process)
    workers = children_of(process.pid)
    process.kill()
    process.communicate(timeout=60)
    wait_until(lambda: not any(map(is_alive, workers)), "the workers have ended", seconds=30)


@needs_proc
def test_two_processes_survive_the_death_of_one_and_stop_when_told(folder):
    settings = ("num_workers=1", "main_training.accumulation=1", "main_training.iterations=1000")
    torchrun = start(folder, *command(folder, "two", *settings, num_processes=2))
    wait_for_iteration(folder, "two", 5, torchrun)
    before = losses(folder, "two")
    os.kill(ranks_of(torchrun)[-1], signal.SIGKILL)  # torchrun starts both again, which go on from a checkpoint
    wait_for_iteration(folder, "two", len(before) + 3, torchrun)
    torchrun.send_signal(signal.SIGTERM)
    output = torchrun.communicate(timeout=300)[0].decode()
    assert "continuing" in output and "interrupted by SIGTERM: iteration" in output, output
    assert torchrun.returncode != 0
    after = losses(folder, "two")
    assert after[: len(before)] == before
    assert [iteration for iteration, _ in after] == list(range(1, len(after) + 1))
    assert checkpoints(folder, "two")[-1] == after[-1][0]


@needs_proc
def test_the_processes_of_a_torchrun_that_was_killed_save_a_checkpoint_and_end(folder):
    settings = (*ENDLESS, "main_training.accumulation=1")
    torchrun = start(folder, *command(folder, "orphans", *settings, num_processes=2))
    wait_for_iteration(folder, "orphans", 2, torchrun)
    family = children_of(torchrun.pid)
    try:
        torchrun.kill()
        torchrun.wait(timeout=60)
        wait_until(lambda: not any(map(is_alive, family)), "all processes have ended")
    finally:
        end_all(family)
    assert checkpoints(folder, "orphans")[-1] == losses(folder, "orphans")[-1][0] > 2


@needs_proc
def test_an_error_of_one_process_ends_the_whole_job(folder, tmp_path):
    shutil.copytree(folder / "videos", tmp_path / "videos")
    settings = (*ENDLESS, "main_training.accumulation=1", f"data.root={tmp_path}", f"output_dir={tmp_path}/x")
    torchrun = start(folder, *command(folder, "x", *settings, num_processes=2))
    wait_until((tmp_path / "x/metrics.jsonl").exists, "the first iteration")
    family = children_of(torchrun.pid)
    spoil_images(tmp_path)
    output = torchrun.communicate(timeout=300)[0].decode()
    assert torchrun.returncode != 0 and re.search(r"\[ERROR\] - .*/JPEGImages/video\d/\d{5}\.png[: ]", output), output
    assert "is incomplete" in output, "torchrun has started it once more"
    assert not any(map(is_alive, family))


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


def limit_file_size() -> None:
    import resource  # which Windows lacks

    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files in place of a full disk, on Linux")
def test_a_full_disk_ends_training_with_one_sentence(folder):
    process = subprocess.Popen(
        command(folder, "full", "num_workers=1"),
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=limit_file_size,
    )
    _started.append(process)
    output = process.communicate(timeout=300)[0].decode()
    assert process.returncode == 2 and "Traceback" not in output, output
    assert re.search(
        r"\[ERROR\] - \[Errno 27\] File too large: '.*/full/checkpoints/main_training_00000003\.pt'\n$", output
    )
    assert list((experiment(folder, "full") / "checkpoints").iterdir()) == []


def test_an_unknown_setting_is_named():
    with (
        initialize_config_module("livos.config", version_base="1.3"),
        pytest.raises(ConfigCompositionException, match="iteratons"),
    ):
        compose("train_config", ["exp_id=first_try", "main_training.iteratons=5"])
