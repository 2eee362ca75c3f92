"""Processes that work, fail, die or are interrupted."""

import gc
import os
import signal
import time

import pytest
from processes import Leftover
from vos_benchmark import ScoringError
from vos_benchmark.workers import available_processors, run_tasks


def double(task: int) -> int:
    return 2 * task


def fail_on_three(task: int) -> int:
    if task == 3:
        raise RuntimeError("no threes here")
    return task


def die_on_three(task: int) -> int:
    if task == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def leave_on_three(task: int) -> int:
    if task == 3:
        os._exit(7)
    return task


def sleep(task: int) -> int:
    time.sleep(600 * task)
    return os.getpid()


def collect(task: int) -> int:
    gc.collect()
    return task


def describe(task: int) -> str:
    return f"task {task}"


@pytest.mark.parametrize("processes", [1, 2, 30])
def test_all_tasks_are_done_once(processes):
    assert sorted(run_tasks(double, range(12), processes, describe)) == [(n, 2 * n) for n in range(12)]


def test_no_tasks_are_no_work():
    assert list(run_tasks(double, [], 4, describe)) == []


def test_workers_do_not_free_what_this_process_left_behind(tmp_path):
    Leftover(tmp_path / "freed by")
    assert len(list(run_tasks(collect, range(4), 2, describe))) == 4
    assert (tmp_path / "freed by").read_text() == str(os.getpid())


def test_failure_in_a_worker_names_the_task_and_the_reason():
    with pytest.raises(ScoringError, match=r"failed on task 3:\n(?s:.*)RuntimeError: no threes here"):
        list(run_tasks(fail_on_three, range(6), 2, describe))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to die of")
def test_worker_that_is_killed_is_reported():
    with pytest.raises(ScoringError, match=r"died of signal 9, perhaps for lack of memory while working on task 3"):
        list(run_tasks(die_on_three, range(6), 2, describe))


def test_worker_that_leaves_is_reported():
    with pytest.raises(ScoringError, match="died with exit status 7 while working on task 3"):
        list(run_tasks(leave_on_three, range(6), 2, describe))


@pytest.mark.skipif(os.name == "nt", reason="asks for a process by signal")
def test_workers_are_gone_once_nobody_listens():
    outcomes = run_tasks(sleep, [0, 1, 1], 2, describe)
    _, pid = next(outcomes)
    outcomes.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_there_is_at_least_one_processor():
    assert available_processors() >= 1
