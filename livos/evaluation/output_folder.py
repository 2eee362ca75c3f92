"""Where an evaluation writes: for each frame a mask and, on request, probabilities and a picture."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from livos.config.schema import EvalConfig
from livos.evaluation.sets import locate
from livos.evaluation.video import Frame, TestVideo
from livos.files.atomic import written_aside
from livos.pipeline.overlay import overlay
from livos.pipeline.probabilities import write_scores
from livos.segmenter.segmenter import SegmentationResult

_SUFFIXES = {"Annotations": ".png", "Scores": ".npz", "Overlays": ".jpg"}


@dataclass(frozen=True)
class OutputFolder:
    """`<path>/<kind>/<video>/<frame><suffix>`, for each kind that is wanted."""

    path: Path
    kinds: tuple[str, ...] = ("Annotations",)  # and Scores, Overlays

    @classmethod
    def of(cls, settings: EvalConfig) -> "OutputFolder":
        """The folder that the settings name, by default ./results/<dataset_name>."""
        wanted = {"Annotations": True, "Scores": settings.save_scores, "Overlays": settings.visualize}
        path = Path(settings.output_dir) if settings.output_dir else Path("results") / settings.dataset_name
        return cls(path, tuple(kind for kind in wanted if wanted[kind]))

    def prepare(self) -> None:
        """Makes the folder. Raises OSError, naming it, if nothing can be written there."""
        self.path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=self.path).close()

    def refuse_overwriting(self, videos: Sequence[TestVideo], truth_directory: str | None) -> None:
        """Raises ValueError if masks that are given or true would be written over."""
        truth = locate(truth_directory) if truth_directory else None
        for video in videos:
            folder = self.masks_of(video).resolve()
            given = {mask.path.parent.resolve() for mask in video.masks.values()}
            if folder in given or (truth and folder == (truth / video.name).resolve()):
                raise ValueError(f"output_dir={self.path}: {folder} holds given or true masks, which would be lost")

    def masks_of(self, video: TestVideo) -> Path:
        return self.path / "Annotations" / video.name

    def lacks(self, video: TestVideo) -> bool:
        """Whether a file is missing that is wanted of a video."""
        return not all(self._file(kind, video, name).is_file() for kind in self.kinds for name in video.saved_names)

    def write_extras(self, video: TestVideo, frame: Frame, result: SegmentationResult) -> None:
        """What is wanted of a frame beside its mask."""
        for kind in self.kinds[1:]:
            path = self._file(kind, video, frame.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "Scores":
                write_scores(path, result.probabilities, result.object_ids)
            else:
                _write_overlay(path, frame, result)

    def _file(self, kind: str, video: TestVideo, frame_name: str) -> Path:
        return self.path / kind / video.name / f"{frame_name}{_SUFFIXES[kind]}"


def _write_overlay(path: Path, frame: Frame, result: SegmentationResult) -> None:
    picture = cv2.cvtColor(overlay(frame.image, result.labels), cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(path.suffix, picture)
    with written_aside(path) as aside:
        aside.write_bytes(encoded.tobytes())
