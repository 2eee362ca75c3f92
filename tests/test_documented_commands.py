"""Every command in the documents parses: programs and targets exist, options and settings are known."""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from livos.commands.main import COMMANDS as COMMANDS_OF_LIVOS

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/*.md")])
PROGRAM_PATTERNS = ("*.py", "scripts/**/*.py", "livos/*.py", "livos/commands/*.py", "benchmarks/*.py", "docs/*/*.py")
PROGRAMS = sorted(path for pattern in PROGRAM_PATTERNS for path in ROOT.glob(pattern))
HYDRA_PROGRAMS = {"livos/eval.py": "eval_config", "livos/train.py": "train_config"}
RUNNERS = {"python", "python3", "torchrun", "make", "pip", "livos"}
ELSEWHERE = {"cd", "git", "ffmpeg", "unzip", "mkdir", "mv", "source", "export", "tensorboard", "#"}
"""Programs that are not ours, whose arguments are not looked at."""


class ParsedError(Exception):
    """The program's arguments were accepted."""


@dataclass(frozen=True)
class Command:
    """A command line and where it is written."""

    place: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place}: {' '.join(self.words)[:60]}"


def commands_in(text: str, place: str) -> Iterator[Command]:
    """Commands in fenced blocks that are not another language, and those in backticks that begin with our programs."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for language, block in blocks if language in ("", "bash", "sh", "shell") for line in joined(block)]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`((?:python [^\s`]+|torchrun|make|livos) [^`\n]+)`", prose)
    for line in [*lines, *inline]:
        if " [--" in line:  # options that may be left out, in brackets
            line = re.sub(r"[\[\]]", "", line)
        words = [word for word in shlex.split(line, comments=True) if not re.fullmatch(r"[A-Z_]+=\S*", word)]
        if words and is_command(words) and "…" not in words:
            yield Command(place, tuple(words))


def joined(block: str) -> list[str]:
    """Lines, with those that end in a backslash continued."""
    return re.sub(r"\\\n\s*", " ", block).splitlines()


def is_command(words: list[str]) -> bool:
    """Whether a line of a block is a command rather than a folder tree or output."""
    return words[0].removeprefix(".venv/bin/") in RUNNERS or words[0] in ELSEWHERE


def documented_commands() -> list[Command]:
    found: list[Command] = []
    for path in DOCUMENTS:
        found += list(commands_in(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))))
    for path in PROGRAMS:  # the commands that a program's own text gives
        docstring = re.match(r'"""(.*?)"""', path.read_text(encoding="utf-8"), re.DOTALL)
        lines = joined(docstring[1].replace("\\\\\n", "\\\n")) if docstring else []
        starts = [line.strip() for line in lines if re.match(r"\s*(OMP_\S+ )?(python|torchrun|livos) [^:]", line)]
        starts = [re.split(r"\s{3,}", line)[0] for line in starts]  # what follows explains
        found += list(commands_in("```\n" + "\n".join(starts) + "\n```", str(path.relative_to(ROOT))))
    return list({command.words: command for command in reversed(found)}.values())[::-1]  # each once


COMMANDS = documented_commands()


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_documented_commands_parse(command, monkeypatch):
    monkeypatch.chdir(ROOT)
    check(list(command.words), monkeypatch)


def check(words: list[str], monkeypatch) -> None:
    program, arguments = words[0].removeprefix(".venv/bin/"), words[1:]
    if program in ("python", "python3"):
        check_python(arguments, monkeypatch)
    elif program == "livos":
        check_livos(arguments, monkeypatch)
    elif program == "torchrun":
        from torch.distributed.run import get_args_parser

        options = get_args_parser().parse_args(arguments)
        module = ["-m"] if options.module else []
        check_python([*module, options.training_script, *options.training_script_args], monkeypatch)
    elif program == "make":
        check_make(arguments)
    elif program == "pip":
        check_pip(arguments)
    else:
        assert words[0] in ELSEWHERE, f"unknown program {words[0]}"


def check_python(arguments: list[str], monkeypatch) -> None:
    if arguments[0] == "-m":
        if arguments[1] in ("pip", "venv"):
            return check_pip(arguments[2:]) if arguments[1] == "pip" else None
        assert importlib.util.find_spec(arguments[1]) is not None, f"no module {arguments[1]}"
        if arguments[1] == "livos":
            return check_livos(arguments[2:], monkeypatch)
        if arguments[1].split(".")[0] in ("livos", "vos_benchmark"):
            dry_run(lambda: runpy.run_module(arguments[1], run_name="__main__"), arguments[1:], monkeypatch)
        return None
    path = arguments[0].removeprefix("./")
    program = ROOT / path
    assert program.is_file() or (program / "__main__.py").is_file(), f"no program {path}"
    if path in HYDRA_PROGRAMS:
        return check_settings(path, arguments[1:])
    if arguments[1:] and path.startswith("tests/"):
        return None
    monkeypatch.syspath_prepend(str((ROOT / path).parent))
    return dry_run(lambda: runpy.run_path(path, run_name="__main__"), arguments, monkeypatch)


def check_livos(arguments: list[str], monkeypatch) -> None:
    """`livos COMMAND …`, as far as the command's arguments."""
    if len(arguments) < 2 or arguments[1:] == ["--help"]:  # the command is spoken of
        assert not arguments or arguments[0] in (*COMMANDS_OF_LIVOS, "--version"), f"no command livos {arguments[0]}"
        return None
    assert arguments[0] in COMMANDS_OF_LIVOS, f"no command livos {arguments[0]}"
    if f"livos/{arguments[0]}.py" in HYDRA_PROGRAMS:
        return check_settings(f"livos/{arguments[0]}.py", arguments[1:])
    command = importlib.import_module(f"livos.commands.{arguments[0]}")
    return dry_run(lambda: command.main(arguments[1:]), arguments, monkeypatch)


def dry_run(run, arguments: list[str], monkeypatch) -> None:
    """Run a program up to where it has parsed its arguments."""
    parse_args = argparse.ArgumentParser.parse_args

    def parse_and_stop(self, args=None, namespace=None):
        parse_args(self, args, namespace)
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(ParsedError):
        run()


def check_settings(path: str, overrides: list[str]) -> None:
    """Compose a Hydra program's settings, which refuses unknown keys, choices and types."""
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))  # registers the schema
    from livos.config.overrides import refuse_unknown_settings

    refuse_unknown_settings(module.EvalConfig if path.endswith("eval.py") else module.TrainConfig, overrides)
    with initialize_config_dir(str(ROOT / "livos" / "config"), version_base="1.3"):
        OmegaConf.to_container(compose(HYDRA_PROGRAMS[path], overrides=overrides))


def check_make(arguments: list[str]) -> None:
    targets = re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for target in arguments:
        assert "=" in target or target in targets, f"no target {target} in the Makefile"


def check_pip(arguments: list[str]) -> None:
    assert arguments[0] == "install", f"pip {arguments[0]}"
    for option, value in itertools.pairwise(arguments):
        if option in ("-r", "-e"):
            assert (ROOT / value.split("[")[0]).exists(), f"pip install {option} {value}: not there"


def test_commands_were_found():
    """If the search above broke, it would silently skip everything."""
    words = [" ".join(command.words) for command in COMMANDS]
    for expected in ("python ./download.py", "python livos/eval.py dataset=d17-val", "make demo", "torchrun"):
        assert any(line.startswith(expected) for line in words), expected


@pytest.mark.parametrize(
    ("line", "error", "complaint"),
    [
        ("python livos/eval.py dataset=d17-vall", SystemExit, "dataset=d17-vall is not known"),
        ("python livos/eval.py sise=480", SystemExit, "unknown setting sise"),
        ("livos eval sise=480", SystemExit, "unknown setting sise"),
        ("python livos/eval.py size=large", SystemExit, "size=large"),
        ("python ./download.py --everything", SystemExit, "unrecognized arguments: --everything"),
        ("livos track --video clip.mp4 --output out", SystemExit, "required: --masks"),
        ("livos tracks --video clip.mp4", AssertionError, "no command livos tracks"),
        ("python scripts/nowhere.py", AssertionError, "no program scripts/nowhere.py"),
        ("python -m livos.nowhere", AssertionError, "no module livos.nowhere"),
        ("make nothing", AssertionError, "no target nothing"),
        ("pip install -r nothing.txt", AssertionError, "pip install -r nothing.txt"),
        ("torchrun --nproc_per_node=4 livos/train.py exp_ie=first", SystemExit, "unknown setting exp_ie"),
    ],
)
def test_wrong_commands_are_noticed(line, error, complaint, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    with pytest.raises(error) as raised:
        check(shlex.split(line), monkeypatch)
    assert complaint in str(raised.value) + capsys.readouterr().err


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_in_documents_compiles_and_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        compile(block, str(path), "exec")
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in link:
            assert (path.parent / link).exists(), f"{path}: {link} is not there"
