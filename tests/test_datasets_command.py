"""`python -m livos.datasets` tells what is there of each set and what is wrong with it."""

import pytest
from test_test_sets import write_davis
from tiny_sets import write_frame

from livos.datasets import main, names


def test_all_sets_are_listed_with_what_is_there(tmp_path, capsys):
    write_davis(tmp_path / "DAVIS/2017/trainval", "2017/val.txt", "bear", "swan")
    assert main([f"data_root={tmp_path}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {words[0]: words[1:] for words in map(str.split, lines) if words[0] in names()}
    assert set(rows) == set(names())
    assert rows["d17-val"] == ["incomplete", "2", "of", "30", "6", "2"]
    assert rows["demo"][0] == "complete"
    assert rows["mose-val"][0] == "missing"
    assert rows["generic"][0] == "unset"


def test_a_named_set_is_told_in_full_and_sets_the_exit_status(tmp_path, capsys):
    assert main(["d17-val", f"data_root={tmp_path}"]) == 1
    assert "MISSING  video_list" in capsys.readouterr().out
    folder = tmp_path / "DAVIS/2017/trainval"
    write_davis(folder, "2017/val.txt", "bear")
    assert main(["d17-val", f"data_root={tmp_path}"]) == 0
    write_frame(folder / "JPEGImages/480p/bear/00002.jpg", (30, 32))
    assert main(["d17-val", f"data_root={tmp_path}"]) == 0
    assert main(["d17-val", f"data_root={tmp_path}", "--every-frame"]) == 1
    assert "00002.jpg: 32 x 30 pixels" in capsys.readouterr().out


def test_unknown_sets_and_keys_end_with_the_known_ones(capsys):
    for words, expected in ((["d18"], "known: "), (["d17-val", "data_rot=."], "known keys: ")):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 2
        assert expected in capsys.readouterr().err
