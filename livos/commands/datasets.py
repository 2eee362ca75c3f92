"""List the test sets, how much of each is on this machine, and what is wrong with it.

    livos datasets                                all sets
    livos datasets d17-val data_root=/data        one or more, with the settings of `livos eval`
    livos datasets y19-val --every-frame          also check the header of every frame

The exit status is 1 if a set that was named is missing or has problems.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from livos.config.schema import TestSetConfig
from livos.evaluation.sets import open_test_set

CONFIG_DIR = Path(__file__).resolve().parents[1] / "config" / "dataset"
_SHOWN_PROBLEMS = 5


@dataclass(frozen=True)
class Report:
    """What is available of one set."""

    state: str  # complete, incomplete (fewer videos than official), problems, missing, or unset (needs folders)
    num_videos: int = 0
    num_frames: int = 0
    num_masks: int = 0
    problems: tuple[str, ...] = ()


def names() -> list[str]:
    """The sets that can be chosen with dataset=..."""
    return sorted(path.stem for path in CONFIG_DIR.glob("*.yaml"))


def load_settings(name: str, overrides: Sequence[str] = ()) -> TestSetConfig:
    """The settings of a set. Raises ValueError for an unknown set or key, naming the known ones."""
    if name not in names():
        raise ValueError(f"no data set named {name!r}; known: {', '.join(names())}")
    with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
        chosen = compose(name)
    try:
        merged = OmegaConf.merge(OmegaConf.structured(TestSetConfig), chosen, OmegaConf.from_dotlist(list(overrides)))
        settings = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        known = ", ".join(TestSetConfig.__dataclass_fields__)
        raise ValueError(f"{name}: {str(error).splitlines()[0]}; known keys: {known}") from error
    assert isinstance(settings, TestSetConfig)
    return settings


def inspect(settings: TestSetConfig, every_frame: bool = False) -> Report:
    """Counts what is there, and checks names and headers; no image is decoded."""
    if settings.dataset_name == "generic" and not (settings.image_directory and settings.mask_directory):
        return Report("unset", problems=("needs image_directory=FOLDER mask_directory=FOLDER",))
    try:
        videos = open_test_set(settings)
    except FileNotFoundError as error:
        return Report("missing", problems=(str(error),))
    except (ValueError, OSError) as error:
        return Report("problems", problems=(str(error),))
    problems = [problem for video in videos for problem in video.problems(every_frame)]
    short = settings.num_videos is not None and len(videos) != settings.num_videos
    return Report(
        "problems" if problems else "incomplete" if short else "complete",
        len(videos),
        sum(len(video) for video in videos),
        sum(len(video.given) for video in videos),
        tuple(problems),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="livos datasets", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", metavar="SET | KEY=VALUE", help="names of sets, and settings")
    parser.add_argument("--every-frame", action="store_true", help="read the header of every frame (slower)")
    options = parser.parse_args(arguments)
    overrides = [word for word in options.sets if "=" in word]
    chosen = [word for word in options.sets if "=" not in word]
    try:
        settings = [load_settings(name, overrides) for name in chosen or names()]
    except ValueError as error:
        parser.error(str(error))
    if not chosen:
        print(f"below data_root={settings[0].data_root}; name a set to see what is expected")
    print(f"{'set':18} {'state':12} {'videos':>12} {'frames':>8} {'masks':>7}")
    reports = [_show(entry, options.every_frame, in_full=bool(chosen)) for entry in settings]
    return int(bool(chosen) and any(report.state in ("missing", "problems") for report in reports))


def _show(settings: TestSetConfig, every_frame: bool, in_full: bool) -> Report:
    report = inspect(settings, every_frame)
    videos = f"{report.num_videos} of {settings.num_videos}" if settings.num_videos else f"{report.num_videos}"
    print(
        f"{settings.dataset_name:18} {report.state:12} {videos:>12} {report.num_frames:>8} {report.num_masks:>7}",
        flush=True,
    )
    if report.state == "missing" and not in_full:
        return report
    for problem in report.problems if in_full else report.problems[:_SHOWN_PROBLEMS]:
        print("    " + problem.replace("\n", "\n    "))
    if not in_full and len(report.problems) > _SHOWN_PROBLEMS:
        print(f"    … {len(report.problems)} problems: livos datasets {settings.dataset_name}")
    return report


if __name__ == "__main__":
    sys.exit(main())
