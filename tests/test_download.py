"""download.py with a stand-in for Google Drive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from livos.commands import download
from livos.released_weights import PARTS, RELEASED_WEIGHTS, find_released_weights

QUOTA_PAGE = b"<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title><body>Too many users</body></html>"


def checkpoint_bytes(tmp_path: Path, parts=PARTS, fill: float = 0.0) -> bytes:
    path = tmp_path / "made.pth"
    torch.save({f"{part}.weight": torch.full((100,), fill) for part in parts}, path)
    return path.read_bytes()


class Drive:
    """Serves bytes by id; an id without any raises as gdown does. With `stop_after`, the transfer breaks once."""

    def __init__(self, files: dict[str, bytes], stop_after: int | None = None):
        self.files, self.stop_after = files, stop_after
        self.asked: list[str] = []
        self.sent = 0

    def __call__(self, drive_id: str, path: Path) -> None:
        self.asked.append(drive_id)
        if drive_id not in self.files:
            raise RuntimeError("Cannot retrieve the public link of the file.")
        partial = path.with_name(path.name + "abc.part")
        have = partial.stat().st_size if partial.exists() else 0
        content = self.files[drive_id]
        stop, self.stop_after = self.stop_after, None
        with partial.open("ab") as file:
            file.write(content[have:stop])
        self.sent += len(content[have:stop])
        if stop is not None:
            raise ConnectionError("the line went dead")
        partial.replace(path)


@pytest.fixture
def content(tmp_path):
    return checkpoint_bytes(tmp_path)


@pytest.fixture
def weights(content):
    return replace(find_released_weights("nomose-480p"), drive_ids=("new", "old"), num_bytes=len(content))


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "weights"


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_downloads_checks_and_records(weights, directory, content):
    assert "downloaded" in download.download(weights, directory, Drive({"new": content}))
    assert (directory / "livos-nomose-480p.pth").read_bytes() == content
    assert names_in(directory) == ["checksums.txt", "livos-nomose-480p.pth"]
    line = (directory / "checksums.txt").read_text().split()
    assert line == [download.sha256(directory / "livos-nomose-480p.pth"), "livos-nomose-480p.pth"]


def test_existing_files_are_not_fetched_again(weights, directory, content):
    download.download(weights, directory, Drive({"new": content}))
    drive = Drive({"new": content})
    assert "already there" in download.download(weights, directory, drive)
    assert drive.asked == []


def test_an_older_upload_is_the_fallback(weights, directory, content):
    drive = Drive({"new": QUOTA_PAGE, "old": content})
    assert "older upload" in download.download(weights, directory, drive)
    assert drive.asked == ["new", "old"]


def test_a_quota_page_is_refused_with_advice(weights, directory):
    with pytest.raises(download.DownloadProblem, match="web page titled 'Google Drive - Quota exceeded'") as problem:
        download.download(weights, directory, Drive({"new": QUOTA_PAGE}))
    assert "quota is exceeded" in str(problem.value) and "drive.google.com/file/d/new/view" in str(problem.value)
    assert "Cannot retrieve the public link" in str(problem.value)  # of the older id
    assert names_in(directory) == []


def test_a_truncated_file_is_refused(weights, directory, content):
    with pytest.raises(download.DownloadProblem, match="truncated"):
        download.download(weights, directory, Drive({"new": content[: len(content) // 2]}))
    assert names_in(directory) == []


def test_bytes_that_are_not_a_checkpoint_are_refused(weights, directory, content):
    with pytest.raises(download.DownloadProblem, match="not a readable checkpoint"):
        download.download(weights, directory, Drive({"new": b"x" * len(content)}))


def test_another_networks_checkpoint_is_refused(weights, directory, tmp_path):
    other = checkpoint_bytes(tmp_path, parts=[*PARTS[1:], "surplus_part"])
    with pytest.raises(download.DownloadProblem, match=r"missing: \['aux_computer'\], unknown: \['surplus_part'\]"):
        download.download(replace(weights, num_bytes=len(other)), directory, Drive({"new": other}))


def test_an_interrupted_download_continues(weights, directory, content):
    weights = replace(weights, drive_ids=("new",))
    drive = Drive({"new": content}, stop_after=500)
    with pytest.raises(download.DownloadProblem, match="line went dead"):
        download.download(weights, directory, drive)
    assert not (directory / weights.file_name).exists()
    download.download(weights, directory, drive)
    assert (directory / weights.file_name).read_bytes() == content
    assert drive.sent == len(content)


def test_a_changed_file_is_noticed(weights, directory, content, tmp_path):
    download.download(weights, directory, Drive({"new": content}))
    (directory / weights.file_name).write_bytes(checkpoint_bytes(tmp_path, fill=1.0))
    with pytest.raises(download.DownloadProblem, match="recorded"):
        download.download(weights, directory, Drive({"new": content}))


def test_a_changed_upload_is_noticed(weights, directory, content, tmp_path):
    download.download(weights, directory, Drive({"new": content}))
    (directory / weights.file_name).unlink()
    with pytest.raises(download.DownloadProblem, match="recorded"):
        download.download(weights, directory, Drive({"new": checkpoint_bytes(tmp_path, fill=1.0)}))
    assert not (directory / weights.file_name).exists()


def test_the_command_continues_after_a_failure_and_says_so(directory, capsys):
    drive = Drive({})
    assert download.main(["nomose-480p", "wmose-480p", "--directory", str(directory)], drive) == 1
    assert len(drive.asked) == 4
    assert capsys.readouterr().err.count("could not be downloaded") == 2


def test_without_names_all_are_fetched(directory):
    drive = Drive({})
    download.main(["--directory", str(directory)], drive)
    assert drive.asked == [drive_id for weights in RELEASED_WEIGHTS for drive_id in weights.drive_ids]


def test_an_unknown_name_is_refused_with_the_known_ones(directory, capsys):
    assert download.main(["nomse", "--directory", str(directory)], Drive({})) == 2
    assert "nomose-2048p" in capsys.readouterr().err


def test_the_list_shows_every_published_number(capsys):
    assert download.main(["--list"]) == 0
    printed = capsys.readouterr().out
    for weights in RELEASED_WEIGHTS:
        assert weights.name in printed
        assert all(f"{score:.1f}" in printed for score in weights.results.values())


def test_a_folder_that_cannot_be_written_to_is_a_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    place = tmp_path / "file" / "weights"
    assert download.main(["nomose-480p", "--directory", str(place)], Drive({})) == 1
    told = capsys.readouterr().err
    assert str(place) in told and "Traceback" not in told
