"""Distributes work among processes, without ever waiting for one that is gone."""

import contextlib
import gc
import itertools
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from .errors import ScoringError

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


def available_processors() -> int:
    """The number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_tasks(
    function: Callable[[Task], Outcome], tasks: Sequence[Task], processes: int, describe: Callable[[Task], str]
) -> Generator[tuple[int, Outcome], None, None]:
    """Yields (index of the task, its outcome) in the order in which they finish.

    When the iterator is closed or raises, all processes are ended.

    Args:
        function: Importable by name, since it is sent to other processes; with one process it is called here.
        tasks: What it is called with.
        processes: How many to use at most.
        describe: Names a task in an error message.

    Raises:
        ScoringError: If a process died; the message says how, and what it was working on.
    """
    processes = min(processes, len(tasks))
    if processes <= 1:
        for index, task in enumerate(tasks):
            yield index, function(task)
        return
    context = multiprocessing.get_context(_start_method())
    started: list[BaseProcess] = []
    busy: dict[Any, tuple[BaseProcess, int]] = {}  # by connection
    waiting = iter(range(len(tasks)))
    gc.collect()  # here, not in a forked worker, where whatever waits for its own threads would wait forever
    try:
        with _interruption_delayed():
            for index in itertools.islice(waiting, processes):
                connection, process = _start_worker(context, function)
                started.append(process)
                busy[connection] = process, index
                _send(connection, tasks[index])
        while busy:
            for ready in wait(list(busy)):
                process, index = busy.pop(ready)
                outcome = _receive(ready, process, describe(tasks[index]))
                following = next(waiting, None)
                if following is not None:
                    busy[ready] = process, following
                    _send(ready, tasks[following])
                yield index, outcome
    finally:
        _stop(started)


def _start_method() -> str:
    """Forking starts fastest, but is safe only from a process without threads."""
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


def _start_worker(context: Any, function: Callable[[Task], Outcome]) -> tuple[Connection, BaseProcess]:
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(function, theirs, ours), daemon=True)
    process.start()
    theirs.close()  # so that the end of the process is the end of the connection
    return ours, process


@contextlib.contextmanager
def _interruption_delayed() -> Iterator[None]:
    """Delays Ctrl-C, so that it cannot come between the start of a process and its registration."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(function: Callable[[Task], Outcome], connection: Connection, other_end: Connection) -> None:
    """The loop of a worker: answers tasks until the connection is closed."""
    other_end.close()  # a forked process also has it, and would not notice that nobody else does
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which stops this one
    try:
        while True:
            task = connection.recv()
            try:
                reply: tuple[Any, str] = function(task), ""
            except Exception:
                reply = None, traceback.format_exc()
            connection.send(reply)
    except (EOFError, OSError):
        return  # there are no more tasks


def _send(connection: Any, task: Any) -> None:
    with contextlib.suppress(OSError):  # a worker that is gone is noticed by the next _receive, with its exit status
        connection.send(task)


def _receive(connection: Any, process: BaseProcess, task: str) -> Any:
    try:
        outcome, failure = connection.recv()
    except (EOFError, OSError) as error:
        process.join()
        raise ScoringError(f"a worker process died {_how(process.exitcode)} while working on {task}") from error
    if failure:
        raise ScoringError([f"a worker process failed on {task}:", *failure.splitlines()])
    return outcome


def _how(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        hint = ", perhaps for lack of memory" if -exit_code == 9 else ""
        return f"of signal {-exit_code}{hint}"
    return f"with exit status {exit_code}"


def _stop(processes: list[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(timeout=2)
        if process.is_alive():
            process.kill()
            process.join()
