import errno
import os
import subprocess
import sys

import pytest

from livos.files.atomic import clear_leftovers, path_aside, written_aside


def ended_process() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(timeout=60)
    return process.pid


def test_what_killed_programs_left_is_deleted_and_nothing_else(tmp_path):
    below = tmp_path / "below"
    below.mkdir()
    gone, own, other = ended_process(), os.getpid(), os.getppid()
    kept = ["a.png", ".hidden", f".a.{other}-7.part.png", ".b.part.png", f"c.{gone}-7.part.png"]
    for name in [*kept, f".a.{gone}-7.part.png", f".weights.{gone}-7.part", f".of_an_earlier_one.{own}-7.part.pt"]:
        (tmp_path / name).write_bytes(b"half")
    (below / f".d.{gone}-7.part.pt").write_bytes(b"half")
    clear_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == sorted(kept)
    assert len(list(below.iterdir())) == 1
    clear_leftovers(tmp_path, below=True)
    assert list(below.iterdir()) == []
    clear_leftovers(tmp_path / "nowhere")


def test_what_this_process_is_writing_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with written_aside("weights.pth") as aside:
        aside.write_bytes(b"half")
        clear_leftovers(tmp_path)
        assert aside.exists()
    assert os.listdir() == ["weights.pth"]
    video = path_aside(tmp_path / "overlay.mp4")
    video.write_bytes(b"half")
    clear_leftovers(".")
    assert video.exists()


def test_an_error_of_the_disk_names_the_file(tmp_path):
    with pytest.raises(OSError, match=r"No space left.*weights\.pth"), written_aside(tmp_path / "weights.pth"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []
