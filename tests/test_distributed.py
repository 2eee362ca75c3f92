import os

import torch
from tiny_training import (
    free_port,
    gradients_of,
    make_step,
    portions_of_first_batch,
    tiny_network,
    tiny_stage,
)
from training_data import write_videos

from livos.distributed import any_process, from_main, gather, joined_processes, mean
from livos.training.modes import shared_network


def set_environment(rank: int, world_size: int, port: int) -> None:
    """What torchrun sets."""
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(world_size),
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
    )


def train_one_of_two(rank: int, port: int, root) -> None:
    """One of two processes with two portions each; the first one saves what it got."""
    torch.set_num_threads(1)
    set_environment(rank, 2, port)
    with joined_processes("cpu") as process:
        stage = tiny_stage(batch_size=4, accumulation=2, clip_gradient_norm=1e9)
        network = tiny_network(batch_norm="frozen")
        step = make_step(shared_network(network, process), stage)
        result = step(0, portions_of_first_batch(root, stage, rank=process.rank, world_size=process.world_size))
        losses = {name: mean(loss) for name, loss in result.losses.items()}
        exchanged = {
            "gathered": gather(f"process {rank}"),
            "from_main": from_main(rank),
            "any": any_process(rank == 1, False, device=process.device),
        }
        torch.save({"gradients": gradients_of(network), "losses": losses, **exchanged}, root / f"process{rank}.pt")


def test_two_processes_give_the_gradients_of_one(tmp_path):
    root = write_videos(tmp_path)
    torch.multiprocessing.spawn(train_one_of_two, (free_port(), root), nprocs=2)
    stage = tiny_stage(batch_size=4, accumulation=4, clip_gradient_norm=1e9)
    network = tiny_network(batch_norm="frozen")
    result = make_step(network, stage)(0, portions_of_first_batch(root, stage))
    for rank in range(2):
        saved = torch.load(root / f"process{rank}.pt")
        for name, gradient in gradients_of(network).items():
            torch.testing.assert_close(saved["gradients"][name], gradient, rtol=1e-4, atol=1e-6, msg=name)
        for name, loss in result.losses.items():
            torch.testing.assert_close(saved["losses"][name], loss)
        assert saved["gathered"] == ["process 0", "process 1"]
        assert saved["from_main"] == 0 and saved["any"] == [True, False]


def test_a_plain_process_is_alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with joined_processes("cpu") as process:
        assert process.is_main and process.world_size == 1 and process.device == torch.device("cpu")
        assert gather(5) == [5] and from_main("x") == "x"
        assert mean(torch.ones(2)).tolist() == [1.0, 1.0]
        assert any_process(True, False, device=process.device) == [True, False]
        assert not torch.distributed.is_initialized()
