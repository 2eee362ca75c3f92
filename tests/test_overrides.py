"""A mistyped setting on the command line is reported before anything else happens, with what would be valid."""

import pytest

from livos.commands.datasets import names
from livos.config.overrides import refuse_unknown_settings
from livos.config.schema import EvalConfig, TrainConfig


def complaint(capsys, *arguments: str, schema: type = EvalConfig, groups=("dataset", "model")) -> str:
    """The error message for arguments, which must be refused."""
    with pytest.raises(SystemExit) as ended:
        refuse_unknown_settings(schema, list(arguments), groups)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_everything_that_the_command_takes_is_let_pass():
    refuse_unknown_settings(EvalConfig, ["dataset=d17-val", "model=small", "weights=w.pth", "size=720", "amp=true"])
    refuse_unknown_settings(EvalConfig, ["videos=[bear,00001,'1e5']", "output_dir=null", "+size=3", "model.key_dim=8"])
    refuse_unknown_settings(EvalConfig, ["image_directory=../a b/c", 'mask_directory="/a (1), b=c"', "--cfg", "job"])
    refuse_unknown_settings(EvalConfig, ["hydra.verbose=true", "data_root=${oc.env:HOME}", "size=480,720"])
    refuse_unknown_settings(TrainConfig, ["data.video_sets.own.repeat=2", "dataset@validation.dataset=d17-val"])


def test_an_unknown_key_is_reported_with_the_known_ones(capsys):
    text = complaint(capsys, "dataset=d17-val", "flipaug=true")
    assert text.startswith("unknown setting flipaug (did you mean flip_aug?). Known: amp, annotation_file")
    for key in ("dataset", "model", "image_directory", "use_all_masks", "videos", "data_root"):
        assert f" {key}," in text
    assert "exp_id" not in text and " data," not in text  # which are for training
    assert "unknown setting zzz. Known: amp" in complaint(capsys, "+zzz=1")


def test_an_unknown_key_of_a_part_is_reported_with_those_of_the_part(capsys):
    text = complaint(capsys, "model.value_dims=3")
    assert "unknown setting model.value_dims (did you mean value_dim?). Known in model: " in text
    assert "image_encoder" in text and "weights" not in text


def test_an_unknown_set_or_model_is_reported_with_the_known_ones(capsys):
    text = complaint(capsys, "dataset=d17val")
    assert text == f"dataset=d17val is not known (did you mean d17-val?). Known: {', '.join(names())}\n"
    assert "model=large is not known. Known: base, " in complaint(capsys, "model=large")
    assert "dataset.size" in complaint(capsys, "dataset.size=3")


def test_a_value_of_another_type_is_reported(capsys):
    assert "size=big: Value 'big' of type 'str' could not be converted to Integer" in complaint(capsys, "size=big")
    assert "amp=maybe: Value 'maybe' is not a valid bool" in complaint(capsys, "amp=maybe")
    assert "A list is written videos=[A,B]" in complaint(capsys, "videos=bear")


def test_a_value_that_cannot_be_parsed_is_reported_with_the_way_to_quote_it(capsys):
    text = complaint(capsys, "image_directory=/a (1)/frames")
    assert text.startswith("image_directory=/a (1)/frames: ")
    assert "needs two pairs of quotes: image_directory='\"VALUE\"'" in text
    assert "Traceback" not in text
