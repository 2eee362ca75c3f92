"""The command that assembles the page that tracks in the browser."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from needed_packages import skip_without
from script_modules import load_script


@pytest.fixture
def script():
    return load_script("docs/browser/assemble.py")


@pytest.fixture
def quick(script, monkeypatch):
    """The script with a tiny page in place of the real one, which takes minutes."""

    def write(folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("new")

    def copy(folder: Path) -> None:
        write(folder, "index.html")
        write(folder, "tracker.js")

    monkeypatch.setattr(script, "require_exporter", lambda: None)
    monkeypatch.setattr(script, "copy_page", copy)
    monkeypatch.setattr(script, "fetch_runtime", lambda folder: write(folder, "ort.wasm.min.mjs"))
    monkeypatch.setattr(script, "export", lambda weights, folder, report: write(folder, "description.json"))
    return script


def as_found(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_other_web_pages_are_refused_and_left_alone(quick, tmp_path, capsys):
    site = tmp_path / "site"
    (site / "model").mkdir(parents=True)
    for name in ("index.html", "thesis.tex", "model/description.json"):
        (site / name).write_text("mine")
    before = as_found(tmp_path)
    assert quick.main(["--output", str(site)]) == 2
    assert "something other than this page" in capsys.readouterr().err
    assert as_found(tmp_path) == before


def test_an_earlier_page_is_replaced(quick, tmp_path):
    page = tmp_path / "page"
    assert quick.main(["--output", str(page)]) == 0
    fresh = as_found(page)
    (page / "old.js").write_text("old")
    assert quick.main(["--output", str(page)]) == 0
    assert as_found(page) == fresh
    assert list(tmp_path.iterdir()) == [page]


def test_an_earlier_page_comes_back_if_the_new_one_cannot_take_its_place(quick, tmp_path, monkeypatch, capsys):
    page = tmp_path / "page"
    assert quick.main(["--output", str(page)]) == 0
    (page / "old.js").write_text("old")
    before = as_found(tmp_path)
    rename = Path.rename

    def fail_for_new(path: Path, target: Path) -> Path:
        if path.name == "page" and path != page:
            raise OSError("no permission")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_for_new)
    assert quick.main(["--output", str(page)]) == 2
    assert "no permission" in capsys.readouterr().err
    assert as_found(tmp_path) == before


def test_the_current_folder_can_take_the_page(quick, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert quick.main(["--output", "."]) == 0
    assert "index.html" in as_found(folder)
    assert f"cd {folder}" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["another file", "no archive"])
def test_an_archive_without_the_runtime_is_named(content, script, tmp_path):
    path = tmp_path / "runtime.tgz"
    if content == "no archive":
        path.write_bytes(b"not packed")
    else:
        with tarfile.open(path, "w:gz") as archive:
            archive.addfile(tarfile.TarInfo("package/readme"), io.BytesIO())
    with pytest.raises(OSError, match=f"{script.RUNTIME} (has no file|cannot be read)"):
        script.unpack_runtime(path, tmp_path / "runtime")


def test_folders_with_something_else_are_refused(script, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert script.main(["--output", str(tmp_path)]) == 2
    assert "something other than this page" in capsys.readouterr().err
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
