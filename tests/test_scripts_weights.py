"""Converting weights, and the picture of a run's losses."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from script_modules import load_script

from livos import build_model, load_weights, save_weights
from livos.checkpoints import best_short_side

convert_weights, plot_losses = load_script("scripts/convert_weights.py"), load_script("scripts/plot_losses.py")


def test_weights_in_half_precision_fit_the_same_model(tmp_path):
    network = build_model("lite", seed=1)
    save_weights(network, tmp_path / "a.pth")
    convert_weights.main([str(tmp_path / "a.pth"), str(tmp_path / "b.safetensors"), "--model", "lite", "--half"])
    assert (tmp_path / "b.safetensors").stat().st_size < 0.6 * (tmp_path / "a.pth").stat().st_size
    converted = load_weights(build_model("lite", seed=2), tmp_path / "b.safetensors")
    for ours, expected in zip(converted.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-3)


def test_weights_of_another_model_are_refused(tmp_path, capsys):
    save_weights(build_model("lite", seed=1), tmp_path / "a.pth")
    assert convert_weights.main([str(tmp_path / "a.pth"), str(tmp_path / "b.pth"), "--model", "small"]) == 1
    assert "does not fit" in capsys.readouterr().err
    assert not (tmp_path / "b.pth").exists()


def test_the_short_side_of_weights_is_kept_unless_another_is_given(tmp_path):
    a, b, c = (str(tmp_path / f"{name}.safetensors") for name in "abc")
    save_weights(build_model("lite", seed=1), a, short_side=320)
    convert_weights.main([a, b, "--model", "lite"])
    convert_weights.main([a, c, "--model", "lite", "--short-side", "400"])
    assert [best_short_side(path) for path in (a, b, c)] == [320, 320, 400]


@pytest.mark.parametrize("runs", [1, 2])
def test_losses_are_drawn_with_a_panel_for_each_stage_of_each_run(tmp_path, runs):
    records = [
        {"stage": stage, "iteration": i, "loss": 3 / i, "loss/cross_entropy": 2 / i, "loss/dice": 1 / i}
        for stage in ("pre_training", "main_training")
        for i in (1, 2, 3)
    ]
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, records)))
    plot_losses.main([str(tmp_path / "metrics.jsonl")] * runs + [str(tmp_path / "losses.svg")])
    root = ElementTree.parse(tmp_path / "losses.svg").getroot()
    lines = root.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 6 * runs and all(len(line.get("points").split()) == 3 for line in lines)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    with pytest.raises(SystemExit, match=r"expected a metrics\.jsonl"):
        plot_losses.main([str(tmp_path / "metrics.jsonl"), str(tmp_path / "losses.svg")])
