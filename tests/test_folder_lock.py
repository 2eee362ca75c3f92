import errno
import subprocess
import sys

import pytest

import livos.files.folder_lock as folder_lock
from livos.files.folder_lock import folder_in_use

HOLD = """
import sys, time
from pathlib import Path
from livos.files.folder_lock import folder_in_use
with folder_in_use(Path(sys.argv[1]), "a training"):
    print("held", flush=True)
    time.sleep(300)
"""


def test_a_second_program_is_told_who_works_in_the_folder_and_a_killed_one_leaves_no_lock(tmp_path):
    folder = tmp_path / "run"
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(BlockingIOError, match=rf"run is in use by a training, process {other.pid} on .*, since 20"),
            folder_in_use(folder, "a training", patience=0),
        ):
            pass
    finally:
        other.kill()
        other.wait(timeout=60)
    with folder_in_use(folder, "a training"):
        pass
    assert list(folder.iterdir()) == []


def test_a_folder_is_free_again_after_an_error_and_in_use_within_one_process_too(tmp_path):
    with pytest.raises(ZeroDivisionError), folder_in_use(tmp_path, "a training"):
        with (
            pytest.raises(BlockingIOError, match="in use by a training"),
            folder_in_use(tmp_path, "an evaluation", patience=0),
        ):
            pass
        raise ZeroDivisionError
    with folder_in_use(tmp_path, "an evaluation", patience=0):
        pass


def test_a_program_waits_a_little_for_one_that_is_just_ending(tmp_path):
    first = folder_in_use(tmp_path, "a training")
    first.__enter__()
    attempts = []

    def release_at_the_third(file, original=folder_lock._lock):
        attempts.append(file)
        if len(attempts) == 3:
            first.__exit__(None, None, None)
        original(file)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder_lock, "_lock", release_at_the_third)
        with folder_in_use(tmp_path, "a training"):
            assert len(attempts) >= 3


def test_a_disk_without_locks_is_reported_and_does_not_prevent_working(tmp_path, monkeypatch, caplog):
    def no_locks(file):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folder_lock, "_lock", no_locks)
    with folder_in_use(tmp_path, "a training"):
        assert "this disk has no locks" in caplog.text
