"""Settings that are one of a few words: the schema knows them, and code treats them as plain words."""

import json

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from livos.config import choices
from livos.config.choices import Choice
from livos.config.overrides import refuse_unknown_settings
from livos.config.schema import EvalConfig, TrainConfig
from livos.eval import main as eval_main  # importing the programs registers their schemas
from livos.train import main as train_main

CHOICES = [
    kind for kind in vars(choices).values() if isinstance(kind, type) and issubclass(kind, Choice) and kind != Choice
]
TRAINING = {
    "precision": choices.Precision,
    "batch_norm": choices.BatchNorm,
    "resume": choices.Resume,
    "main_training.schedule": choices.Schedule,
    "loss.auxiliary_clips": choices.AuxiliaryClips,
}
EVALUATION = {"precision": choices.Precision, "colour_masks": choices.ColourMasks, "archive": choices.Archive}


@pytest.mark.parametrize("word", [word for kind in CHOICES for word in kind])
def test_a_choice_is_the_word_that_it_stands_for(word):
    text = word.name
    assert word == text and {text: 1}[word] == 1 and word in (text,)
    assert f"{word}" == str(word) == text and json.dumps({"x": word}) == f'{{"x": "{text}"}}'


def composed(program: str, *overrides: str):
    with initialize_config_module("livos.config", version_base="1.3"):
        return compose(f"{program}_config", list(overrides))


def test_every_word_that_people_type_is_taken():
    assert callable(eval_main) and callable(train_main)
    for key, kind in TRAINING.items():
        for word in kind:
            settings = composed("train", "exp_id=x", f"{key}={word}")
            refuse_unknown_settings(TrainConfig, [f"{key}={word}"])
            assert OmegaConf.select(settings, key) == word
            assert OmegaConf.to_container(settings, enum_to_str=True)["exp_id"] == "x"
    for key, kind in EVALUATION.items():
        for word in kind:
            assert OmegaConf.to_object(composed("eval", f"{key}={word}"))
    assert composed("eval", "dataset=d17-val", "archive=null").archive is None


@pytest.mark.parametrize(
    ("schema", "key", "kind"),
    [(TrainConfig, *item) for item in TRAINING.items()] + [(EvalConfig, *item) for item in EVALUATION.items()],
)
def test_any_other_word_is_refused_with_the_choices(capsys, schema, key, kind):
    with pytest.raises(SystemExit) as ended:
        refuse_unknown_settings(schema, [f"{key}=lst"])
    assert ended.value.code == 2
    words = ", ".join(kind)
    assert capsys.readouterr().err == f"{key}=lst: Invalid value 'lst', expected one of [{words}]\n"
