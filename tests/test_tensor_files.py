"""Whatever file is given as weights, an error is one sentence that names it, and nothing in the file is run."""

import os
import pickle
import subprocess
import sys
import tarfile
import zipfile
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save as safetensors_bytes

from livos.files.tensor_files import load_tensors, save_tensors

TENSORS = {"a": torch.arange(1000.0), "b": torch.ones(3)}


def complaint(path: Path) -> str:
    with pytest.raises(ValueError) as error:
        load_tensors(path)
    text = str(error.value)
    assert text.startswith(str(path)) and "\n" not in text and "weights_only" not in text
    return text.removeprefix(str(path))


def same(found: dict) -> bool:
    return found.keys() == TENSORS.keys() and all(torch.equal(found[name], x) for name, x in TENSORS.items())


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors", "weights"])
def test_files_are_read_by_what_they_are_rather_than_by_their_names(tmp_path, name):
    path = tmp_path / name
    torch.save(TENSORS, path)
    assert same(load_tensors(path))
    torch.save(TENSORS, path, _use_new_zipfile_serialization=False)
    assert same(load_tensors(path))
    path.write_bytes(safetensors_bytes(TENSORS))
    assert same(load_tensors(path))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", " is empty"),
        (b"<!DOCTYPE html><html>quota exceeded", " is a web page: the download was refused"),
        (b"  \n<html><head>", " is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", " is a Git LFS pointer"),
        (b"\x1f\x8b\x08 gzip", " is an archive: unpack it"),
        (b"\x89PNG\r\n", " is a picture"),
        (b"PK\x03\x04 cut", " (8 bytes) cannot be read as tensors, perhaps because it is damaged or truncated"),
        (b"no file of tensors", " (18 bytes) cannot be read as tensors"),
    ],
)
def test_other_kinds_of_files_are_identified(tmp_path, content, expected):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    assert complaint(path).startswith(expected)


def test_archives_are_identified(tmp_path):
    torch.save(TENSORS, tmp_path / "inside.pth")
    path = tmp_path / "weights.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "inside.pth", "folder/inside.pth")
    assert complaint(path) == " is an archive of folder/inside.pth: unpack it and use the file inside"
    with tarfile.open(path, "w") as archive:
        archive.add(tmp_path / "inside.pth", "inside.pth")
    assert complaint(path).startswith(" is an archive")
    np.savez(path.with_suffix(".npz"), a=np.zeros(3))
    path.with_suffix(".npz").rename(path)
    assert complaint(path).startswith(" is an archive of a.npy")


def test_programs_of_torch_jit_are_identified(tmp_path):
    with zipfile.ZipFile(tmp_path / "weights.pth", "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py"):
            archive.writestr(f"program/{name}", b"")
    assert "is a program saved by torch.jit" in complaint(tmp_path / "weights.pth")


class Malicious:
    def __reduce__(self):
        return os.system, ("touch was-run",)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_malicious_pickle_is_identified_and_nothing_in_it_is_run(tmp_path, monkeypatch, zipped):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.pth"
    torch.save({"a": Malicious()}, path, _use_new_zipfile_serialization=zipped)
    assert complaint(path).startswith(f" would run {os.name}.system if it were unpickled normally, as malicious files")
    assert not (tmp_path / "was-run").exists()


def test_a_plain_pickle_of_a_program_is_refused_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.pth").write_bytes(pickle.dumps(Malicious(), protocol=2))
    complaint(tmp_path / "weights.pth")
    assert not (tmp_path / "was-run").exists()


def test_harmless_objects_are_named(tmp_path):
    torch.save({"weights": TENSORS, "arguments": Namespace(lr=0.1)}, tmp_path / "weights.pth")
    text = complaint(tmp_path / "weights.pth")
    assert text.startswith(" contains an object of argparse.Namespace besides tensors and plain values")


def test_a_flipped_bit_is_found_by_the_checksums_that_torch_stores(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(TENSORS, path)
    content = bytearray(path.read_bytes())
    content[content.index(TENSORS["a"].numpy().tobytes()) + 2000] ^= 4
    path.write_bytes(content)
    assert complaint(path) == " is damaged: weights/data/0 in it does not match its stored checksum"


def test_files_that_cannot_be_opened_are_named_by_the_system(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        load_tensors(tmp_path / "none.pth")
    with pytest.raises(OSError, match=str(tmp_path)):
        load_tensors(tmp_path)


def limit_file_size() -> None:
    import resource  # which Windows lacks

    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files in place of a full disk, on Linux")
@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path, name):
    code = (
        "import sys, torch; from livos.files.tensor_files import save_tensors\n"
        "try: save_tensors({'a': torch.zeros(1000)}, sys.argv[1])\n"
        "except OSError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / name)]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=120, preexec_fn=limit_file_size).stdout
    assert printed == f"[Errno 27] File too large: '{tmp_path / name}'\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
def test_others_may_read_what_the_umask_lets_them(tmp_path, name):
    save_tensors(TENSORS, tmp_path / name)
    (tmp_path / "usual").touch()
    assert (tmp_path / name).stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_what_was_written_is_read_again(tmp_path):
    for name in ("a.pt", "a.safetensors"):
        save_tensors(TENSORS, tmp_path / name)
        assert same(load_tensors(tmp_path / name))
