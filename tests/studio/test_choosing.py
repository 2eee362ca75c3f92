"""The list from which the page chooses a video: what is in it, and that an id never stands for anything else."""

import pytest
from PIL import Image

from livos.studio import choosing
from livos.studio.choosing import FileChooser, kind_of


@pytest.fixture
def films(tmp_path):
    """A folder with something of every kind."""
    folder = tmp_path / "films"
    (folder / "empty").mkdir(parents=True)
    (folder / "shots").mkdir()
    Image.new("RGB", (4, 4)).save(folder / "shots" / "1.JPG")
    (folder / "clip.livos").mkdir()
    (folder / "clip.livos" / "project.json").write_text("{}")
    for name in ("film10.MP4", "Film2.mkv", ".hidden.mp4", "notes.txt"):
        (folder / name).write_bytes(b"12345")
    return folder


@pytest.fixture
def chooser(films):
    return FileChooser([films, films, films / "missing"])


def test_list_begins_with_each_place_that_exists_once(chooser, films):
    begin = chooser.list(None)
    assert [(entry["name"], entry["kind"]) for entry in begin["entries"]] == [(str(films.resolve()), "folder")]
    assert begin["parent"] is None


def test_folder_lists_what_can_be_opened_in_the_order_of_numbers(chooser):
    listed = chooser.list(chooser.list(None)["entries"][0]["id"])
    assert [(entry["name"], entry["kind"], entry["size"]) for entry in listed["entries"]] == [
        ("clip.livos", "project", None),
        ("empty", "folder", None),
        ("Film2.mkv", "video", 5),
        ("film10.MP4", "video", 5),
        ("shots", "frames", None),
    ]


def test_ids_stand_for_listed_paths_and_stay_the_same(chooser, films):
    entries = chooser.list(chooser.list(None)["entries"][0]["id"])["entries"]
    again = chooser.list(chooser.list(None)["entries"][0]["id"])["entries"]
    assert entries == again
    assert [chooser.path(entry["id"]) for entry in entries] == [films.resolve() / entry["name"] for entry in entries]


@pytest.mark.parametrize("id_", ["/etc/passwd", "", None, 5, ["a"]])
def test_other_ids_stand_for_nothing(chooser, id_):
    chooser.list(None)
    with pytest.raises(LookupError, match="no longer in the list"):
        chooser.path(id_)


def test_parent_leads_up_and_ends_at_the_root(chooser, films):
    listed = chooser.list(chooser.list(None)["entries"][0]["id"])
    assert chooser.path(listed["parent"]) == films.resolve().parent
    seen = 0
    while listed["parent"] is not None:
        listed, seen = chooser.list(listed["parent"]), seen + 1
    assert seen == len(films.resolve().parts) - 1


def test_very_large_folder_is_listed_in_part(chooser, films, monkeypatch):
    monkeypatch.setattr(choosing, "MOST_ENTRIES", 3)
    assert len(chooser.list(chooser.list(None)["entries"][0]["id"])["entries"]) <= 3


def test_missing_path_has_no_kind(tmp_path):
    assert kind_of(tmp_path / "missing") is None
