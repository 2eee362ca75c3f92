"""Settings with a few allowed words."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, get_args, get_type_hints


class Choice(str, Enum):
    """One of a few words; the schema refuses any other, naming them. In code, a choice behaves like the word: it
    compares equal to it, and is printed and stored as it, so plain strings work as well.
    """

    def __str__(self) -> str:
        return self.value

    def __format__(self, how: str) -> str:
        return format(self.value, how)


class Precision(Choice):
    """The precision of the network's numbers; sensitive parts stay float32."""

    float32 = "float32"
    tf32 = "tf32"  # float32 with products of 10 bits, on recent NVIDIA GPUs
    bfloat16 = "bfloat16"
    float16 = "float16"  # with loss scaling in training


class BatchNorm(Choice):
    """Which statistics batch normalisation uses during training."""

    train = "train"  # of each process's portion
    sync = "sync"  # of the portions of all processes
    frozen = "frozen"  # those of the weights that training starts from


class Schedule(Choice):
    """How the learning rate decays."""

    constant = "constant"
    poly = "poly"
    step = "step"


class AuxiliaryClips(Choice):
    """Which clips of a portion have auxiliary losses."""

    all = "all"
    last = "last"  # as in the published code


class Resume(Choice):
    """Whether training continues an existing experiment of the same name."""

    never = "never"
    auto = "auto"


class ColourMasks(Choice):
    """What RGB masks contain."""

    auto = "auto"
    palette = "palette"  # the colours of DAVIS
    ids = "ids"  # R + 256 G + 65536 B


class Archive(Choice):
    """How a set's server expects the masks to be packed."""

    inside = "inside"  # a zip of the videos
    folder = "folder"  # a zip of Annotations/
    burst = "burst"  # JSON


def refuse_other_words(settings: Any, prefix: str = "") -> None:
    """Raises ValueError, naming the key and the choices, for a word that is not allowed.

    This is for settings built by a program; those typed by people are checked against the schema.

    Args:
        settings: A dataclass of config/schema.py.
        prefix: What comes before its keys.
    """
    types = get_type_hints(type(settings))
    for field in fields(settings):
        value, types_of_field = getattr(settings, field.name), (types[field.name], *get_args(types[field.name]))
        if is_dataclass(value):
            refuse_other_words(value, f"{prefix}{field.name}.")
        for choice in types_of_field:
            if isinstance(choice, type) and issubclass(choice, Choice) and isinstance(value, str):
                words = [str(word) for word in choice]
                if value not in words:
                    raise ValueError(f"{prefix}{field.name}={value}, expected one of {', '.join(words)}")
