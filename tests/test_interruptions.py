import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import answers_signals, end_all, is_alive, needs_proc, wait_until

from livos.interruptions import SIGNALS, Interrupted, Told, noticing_signals, raising_interrupted

REPOSITORY = Path(__file__).parents[1]


def test_a_program_can_answer_signals_before_its_slow_imports():
    code = "import sys, livos, livos.interruptions; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@needs_proc
@pytest.mark.parametrize(
    ("program", "number", "status"),
    [
        (["livos/train.py"], signal.SIGINT, 130),
        (["livos/eval.py"], signal.SIGTERM, 143),
        (["livos/commands/main.py", "train"], signal.SIGTERM, 143),
        (["livos/commands/main.py", "eval"], signal.SIGHUP, 129),
        (["scripts/train_click_head.py"], signal.SIGTERM, 143),
    ],
)
def test_a_program_that_is_interrupted_while_it_starts_says_one_sentence(tmp_path, program, number, status):
    command = [sys.executable, str(REPOSITORY / program[0]), *program[1:], "exp_id=x", "dataset=nothing"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: answers_signals(process.pid, signal.SIGTERM), "the program answers signals")
    process.send_signal(number)
    printed, complaints = process.communicate(timeout=60)
    assert process.returncode == status
    assert (printed, complaints) == ("", f"interrupted by {signal.Signals(number).name} before any work began\n")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_noted_or_raises_as_a_block_wants_it(number):
    before = signal.getsignal(number)
    with noticing_signals() as told:
        signal.raise_signal(number)
    assert told.signal_number == number
    with (
        pytest.raises(Interrupted, match=f"interrupted by {signal.Signals(number).name}$") as error,
        raising_interrupted(),
    ):
        signal.raise_signal(number)
    assert error.value.status == 128 + number
    assert signal.getsignal(number) is before


def test_a_signal_that_the_program_was_started_to_ignore_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as nohup does with SIGHUP
    try:
        with raising_interrupted():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_signal_that_comes_twice_at_once_counts_once_but_a_second_ctrl_c_does_not_wait(monkeypatch):
    told = Told()
    told.note(signal.SIGTERM)
    told.note(signal.SIGINT)
    assert told.signal_number == signal.SIGTERM
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 5)
    told.note(signal.SIGTERM)
    with pytest.raises(Interrupted, match="interrupted twice"):
        told.note(signal.SIGINT)


CHILD = """
import time
from livos.interruptions import end_with_parent
end_with_parent()
print("begun", flush=True)
time.sleep(300)
"""
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


@needs_proc
def test_a_process_ends_with_the_one_that_started_it():
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    try:
        assert is_alive(child)
        parent.kill()
        parent.wait(timeout=60)
        wait_until(lambda: not is_alive(child), "the child has ended", seconds=30)
    finally:
        end_all([parent.pid, child])
