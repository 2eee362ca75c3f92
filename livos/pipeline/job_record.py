"""What an output folder says about the job that wrote it: the same job is resumed, another one is refused."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from livos.files.atomic import written_aside
from livos.masks.given_masks import GivenMask
from livos.pipeline.doubtful import DoubtfulRun
from livos.segmenter.state import SegmenterState

logger = logging.getLogger(__name__)

MadeWith = Mapping[str, Any]
"""Everything that masks depend on, as stored in JSON."""

OURS = ("masks", "cutouts", "overlay.*", "objects.json", "coco.json")
"""Patterns of what a job writes into its folder."""


@dataclass(frozen=True)
class Begun:
    """What a job has already done."""

    frames_done: int = 0
    last_number: int | None = None  # of the frame up to which there are masks, in processing order
    state: SegmenterState | None = None  # after that frame
    masks_complete: bool = False
    kinds: frozenset[str] = frozenset()  # outputs that are finished


class JobRecord:
    """`job.json` in the output folder, and until the job is finished, what is needed to resume it, in `.resume/`."""

    def __init__(self, folder: Path, made_with: MadeWith):
        self.folder, self.resume_dir = folder, folder / ".resume"
        self._path, self._made_with = folder / "job.json", json.loads(json.dumps(made_with))

    def begin(self, overwrite: bool, mask_dir: Path) -> Begun:
        """Looks for an earlier run of this job, and records that it is running.

        Args:
            overwrite: Discard what is there, instead of resuming or refusing.
            mask_dir: The folder of the job's masks.

        Raises:
            ValueError: If anything other than this job wrote into the folder.
        """
        if overwrite:
            self._clear()
        noted = self._read()
        if noted is not None and noted["made_with"] != self._made_with and self._is_without_results(noted):
            noted = None  # another job failed before it wrote anything: nothing is lost
        if noted is None:
            self._refuse_strangers()
        elif noted["made_with"] != self._made_with:
            changed = sorted(k for k in {*noted["made_with"], *self._made_with} if self._differs(noted, k))
            raise ValueError(
                f"{self.folder} contains the results of another job (it differs in: {', '.join(changed)}). "
                "Choose another --output, or use --overwrite to replace them"
            )
        begun = Begun() if noted is None else self._find(noted, mask_dir)
        self._write(begun.masks_complete, begun.kinds)
        return begun

    def keep_state(self, frames_done: int, number: int, state: SegmenterState) -> None:
        """Saves how to continue after this frame. All masks up to it must have been written."""
        self.resume_dir.mkdir(exist_ok=True)
        state.save(self.resume_dir / f"{frames_done}-{number}.pt")
        for earlier in self.resume_dir.glob("*.pt"):
            if earlier.name != f"{frames_done}-{number}.pt":
                earlier.unlink(missing_ok=True)

    def note_masks(self, kinds: Iterable[str]) -> None:
        """Records that all masks are written, and these outputs with them."""
        self._write(True, kinds)

    def finish(self, masks_stay: bool, kinds: Iterable[str], doubts: Sequence[DoubtfulRun]) -> None:
        """Records that the job is done and where its masks are doubtful, and removes what is no longer needed."""
        self._write(masks_stay, kinds, doubtful=[asdict(run) for run in doubts])
        shutil.rmtree(self.resume_dir, ignore_errors=True)

    def _find(self, noted: Mapping[str, Any], mask_dir: Path) -> Begun:
        kinds = frozenset(noted["kinds"])
        num_masks = len(list(mask_dir.glob("*.png")))
        if noted["masks_complete"] and num_masks:
            return Begun(masks_complete=True, kinds=kinds)
        states = [path for path in self.resume_dir.glob("*.pt") if not path.name.startswith(".")]
        for path in sorted(states, key=lambda path: -int(path.stem.split("-")[0])):
            frames_done, number = (int(part) for part in path.stem.split("-", 1))
            if num_masks >= frames_done:
                try:
                    return Begun(frames_done, number, SegmenterState.load(path), kinds=kinds)
                except ValueError as error:
                    logger.warning("%s", error)
        return Begun()

    def _differs(self, noted: Mapping[str, Any], key: str) -> bool:
        return noted["made_with"].get(key) != self._made_with.get(key)

    def _read(self) -> dict[str, Any] | None:
        try:
            noted = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            noted = None
        if not isinstance(noted, dict) or not {"made_with", "masks_complete", "kinds"} <= noted.keys():
            raise ValueError(f"{self._path} was not written by LiVOS: choose another --output, or use --overwrite")
        return noted

    def _write(self, masks_complete: bool, kinds: Iterable[str], **more: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        noted = {"made_with": self._made_with, "masks_complete": masks_complete, "kinds": sorted(kinds), **more}
        with written_aside(self._path) as aside:
            aside.write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")

    def _is_without_results(self, noted: Mapping[str, Any]) -> bool:
        written = [path for path in self._ours() if path.is_file() or any(path.iterdir())]
        return not (noted["masks_complete"] or noted["kinds"] or written or self.resume_dir.exists())

    def _ours(self) -> list[Path]:
        return [path for pattern in OURS for path in self.folder.glob(pattern)]

    def _refuse_strangers(self) -> None:
        found = [path.name for path in self._ours() if path.is_file() or any(path.iterdir())]
        if found:
            raise ValueError(
                f"{self.folder} contains {', '.join(found)} from an earlier run that may differ from this one: "
                "choose another --output, or use --overwrite to replace them"
            )

    def _clear(self) -> None:
        for pattern in (*OURS, "job.json", ".resume"):
            for path in self.folder.glob(pattern):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()


def stamp(path: Path) -> list[Any]:
    """Distinguishes a file from others of the same name: its name, bytes, and the second of its last change."""
    status = path.stat()
    return [path.name, status.st_size, int(status.st_mtime)]


def stamp_of_mask(mask: GivenMask) -> list[Any]:
    """The same for a given mask, which may exist only in memory."""
    if mask.path.is_file():
        return stamp(mask.path)
    return [hashlib.sha256(mask.read().labels.tobytes()).hexdigest()[:16]]
