"""`python -m livos.datasets` reports what exists of each set and what is wrong with it."""

import re
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image
from test_evaluation_sets import write_davis
from tiny_sets import labels_with, write_frame

from livos.commands.datasets import load_settings, main, names
from livos.config import schema
from livos.masks.label_maps import read_labels

ROOT = Path(__file__).parent.parent


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


def test_a_named_set_is_reported_in_full_and_sets_the_exit_status(tmp_path, capsys):
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


def test_the_documentation_knows_every_set_and_its_example_is_valid():
    text = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    assert [name for name in names() if f"`{name}`" not in text] == []
    for name in ("d17-val", "y19-val", "mose-val", "burst-test"):
        size = load_settings(name).size or "the weights'"
        assert f"| `{name}` | {load_settings(name).num_videos} | {size} |" in text
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    merged = OmegaConf.merge(OmegaConf.structured(schema.TestSetConfig), OmegaConf.create(example))
    assert OmegaConf.to_object(merged).video_list == "../Zoo/val.txt"


def test_the_documented_messages_are_those_that_are_given():
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "livos").rglob("*.py"))
    text = (ROOT / "docs" / "masks.md").read_text(encoding="utf-8")
    for message in (
        "a mask saved as JPEG has lost its exact values",
        "the only mask given is empty",
        "file is truncated",
    ):
        assert message in text
        assert message in sources


def test_the_recipe_against_soft_edges_works(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "masks.md").read_text(encoding="utf-8")
    mend, use = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    hard = Image.fromarray((labels_with(1) * 255).astype(np.uint8))
    hard.resize((75, 50), Image.Resampling.BILINEAR).save("soft.png")
    with pytest.raises(ValueError, match="soft"):
        read_labels("soft.png")
    exec(mend, {})
    assert read_labels("00000.png").ids == [1]
    exec(use, {})
    assert read_labels("copy.png").coding.kind == "binary"
    assert read_labels("palette.png").ids == [1]
