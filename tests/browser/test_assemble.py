"""The command that assembles the page that tracks in the browser."""

import subprocess

import pytest
from needed_packages import skip_without
from script_modules import load_script


@pytest.fixture
def script():
    return load_script("docs/browser/assemble.py")


def test_folders_with_something_else_are_refused(script, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert script.main(["--output", str(tmp_path)]) == 2
    assert "something else than this page" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_without_npm_nothing_is_written_and_the_reason_is_said(script, tmp_path, monkeypatch, capsys):
    skip_without("onnx", "onnxscript", "onnxruntime")
    monkeypatch.setattr(script.shutil, "which", lambda name: None)
    assert script.main(["--output", str(tmp_path / "page")]) == 2
    assert "npm is needed" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["fails", "takes too long"])
def test_the_reason_of_npm_is_passed_on(how, script, tmp_path, monkeypatch):
    def run(words, timeout, **options):
        if how == "fails":
            return subprocess.CompletedProcess(words, 1, "", "404 not found")
        raise subprocess.TimeoutExpired(words, timeout)

    monkeypatch.setattr(script.shutil, "which", lambda name: name)
    monkeypatch.setattr(script.subprocess, "run", run)
    with pytest.raises(OSError, match="404 not found" if how == "fails" else "within 10 minutes"):
        script.fetch_runtime(tmp_path / "runtime")
    assert list(tmp_path.iterdir()) == []


def test_the_page_finds_all_that_it_shares_with_studio(script, tmp_path):
    script.copy_page(tmp_path / "page")
    modules = list((tmp_path / "page").rglob("*.js"))
    assert (tmp_path / "page" / "index.html").is_file() and len(modules) > 20
    for module in modules:
        for line in module.read_text(encoding="utf-8").splitlines():
            if line.startswith("import ") and '"' in line:
                name = line.rsplit('"', 2)[1]
                base = tmp_path / "page" if name.startswith("studio/") else module.parent
                assert (base / name).is_file(), f"{module.name}: {name}"
