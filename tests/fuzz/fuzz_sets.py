"""The files that describe test sets: BURST's JSON, YouTube-VOS's meta.json, lists of videos."""

import random
from pathlib import Path

import numpy as np
from fuzz.damage import damaged
from fuzz.json_trees import damaged_json
from fuzz.watch import problems_of
from PIL import Image
from tiny_sets import SIZE, labels_with, write_frame, write_mask

from livos.config.schema import TestSetConfig
from livos.evaluation.sets import open_test_set
from livos.masks.run_lengths import encode_mask


class Burst:
    """A damaged JSON file of BURST; its videos are opened and read as an evaluation does."""

    name = "BURST"

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder / "burst", folder / "burst/input.json"
        for number in range(3):
            write_frame(self.folder / f"frames/set/seq/{number:05d}.jpg", value=number)
        write_frame(self.folder / "00000.jpg")  # what a name that leads elsewhere would find
        self.tree = {
            "sequences": [{
                "dataset": "set", "seq_name": "seq", "height": SIZE[0], "width": SIZE[1], "fps": 1,
                "annotated_image_paths": ["00000.jpg", "00002.jpg"],
                "segmentations": [self.object(1), self.object(2)], "track_category_ids": {"1": 1, "2": 5},
            }],
            "split": "val",
        }  # fmt: skip
        self.settings = TestSetConfig(
            "burst", image_directory=str(self.folder / "frames"), annotation_file=str(self.path)
        )

    def object(self, object_id: int) -> dict:
        return {str(object_id): {"rle": encode_mask(labels_with(1, 2) == object_id), "is_gt": True, "score": 1.0}}

    def make(self, chance: random.Random) -> None:
        self.path.write_bytes(damaged_json(self.tree, chance))

    def read(self) -> str | None:
        try:
            return self.read_videos()
        except FileNotFoundError as error:  # none of its videos is there: the set is shown, in several lines
            return None if "none of its" in str(error) else str(error)

    def read_videos(self) -> str | None:
        frames = Path(self.settings.image_directory).resolve()
        for video in open_test_set(self.settings):
            if not (frames / video.name).resolve().is_relative_to(frames) or video.name.startswith("/"):
                return f"{video.name!r} leads out of the folder"
            for name in video.saved_names:
                if not (frames / f"{name}.png").resolve().is_relative_to(frames):
                    return f"{name!r} leads out of the folder"
            if problems := video.problems():
                # What is wrong with one video names the video or one of its files.
                return None if str(self.folder) in "".join(problems) or video.name in "".join(problems) else problems[0]
            list(video)
        return None


class Meta(Burst):
    """A damaged meta.json."""

    name = "meta.json"

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder / "meta", folder / "meta/input.json"
        for number in range(2):
            write_frame(self.folder / f"images/v/{number:05d}.jpg", value=number)
        write_mask(self.folder / "masks/v/00000.png", labels_with(1))
        Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(self.folder / "00000.jpg")
        self.tree = {"videos": {"v": {"objects": {"1": {"category": "cat", "frames": ["00000", "00001"]}}}}}
        self.settings = TestSetConfig(
            "meta",
            image_directory=str(self.folder / "images"),
            mask_directory=str(self.folder / "masks"),
            frame_list=str(self.path),
        )


class Lists(Meta):
    """A damaged list of videos."""

    name = "lists of videos"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = self.folder / "input.txt"
        self.settings.frame_list, self.settings.video_list = None, str(self.path)

    def make(self, chance: random.Random) -> None:
        evil = chance.choice((b"", b"../x", b"/etc", b"a\0b", b"\xed\xa0\x80", b"\x1b[31m", b"x" * 100_000, b"."))
        whole = b"v\n/JPEGImages/480p/v/00000.jpg /Annotations/480p/v/00000.png\n" + evil + b"\n"
        self.path.write_bytes(damaged(whole, chance) if chance.random() < 0.7 else whole)


def run(seed: int, count: int, folder: Path) -> list[str]:
    """The problems with `count` damaged inputs of each kind; see tests/fuzz/watch.py."""
    return [problem for kind in (Burst, Meta, Lists) for problem in problems_of(kind(folder), seed, count)]
