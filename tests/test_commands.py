"""`livos`: one command for everything, called here and as a module."""

import subprocess
import sys
from pathlib import Path

import pytest

import livos
from livos.commands import demo, main

ROOT = Path(__file__).parent.parent


def test_livos_alone_shows_what_there_is(capsys):
    assert main.main([]) == 0
    shown = capsys.readouterr().out
    assert shown.index("livos track --video") < shown.index("Commands:")
    assert all(f"livos {name}" in shown for name in main.COMMANDS)


def test_the_version_is_that_of_the_package(capsys):
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out == f"livos {livos.__version__}\n"


def test_an_unknown_command_is_refused_with_the_known_ones(capsys):
    assert main.main(["trak"]) == 2
    assert "there is no command 'trak'" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(main.COMMANDS))
def test_help_begins_with_an_example(name):
    words = [sys.executable, "-m", "livos", name, "--help"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    first = next(number for number, line in enumerate(lines) if line.startswith((f"livos {name}", "python", "vos-")))
    assert first < 25, done.stdout


def test_the_next_steps_after_the_demo_are_commands_that_work(capsys):
    clip = ROOT / "examples" / "demo"
    commands = [line.split() for line in demo.next_steps(clip).splitlines() if line.startswith("  ")]
    track = next(words for words in commands if "track" in words)
    assert Path(track[track.index("--video") + 1]).is_dir() and Path(track[track.index("--masks") + 1]).is_dir()


def test_importing_livos_starts_nothing():
    program = "import threading, livos, sys; print(threading.active_count(), 'hydra' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=200, cwd=ROOT)
    assert done.stdout.split() == ["1", "False"], done.stderr
