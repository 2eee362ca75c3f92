"""Where an evaluation writes: for each frame a mask and, on request, probabilities and a picture."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from livos.config.schema import EvalConfig
from livos.evaluation.sets import locate
from livos.evaluation.video import TestVideo
from livos.files.folder_lock import make_folder
from livos.pipeline.outputs import MaskFiles, OverlayImages, ProbabilityFiles, VideoOutput

_SUFFIXES = {"Annotations": ".png", "Scores": ".npz", "Overlays": ".jpg"}


@dataclass(frozen=True)
class OutputFolder:
    """`<path>/<kind>/<video>/<frame><suffix>`, for each requested kind."""

    path: Path
    kinds: tuple[str, ...] = ("Annotations",)  # and Scores, Overlays

    @classmethod
    def of(cls, settings: EvalConfig) -> "OutputFolder":
        """The folder that the settings name, by default ./results/<dataset_name>."""
        wanted = {"Annotations": True, "Scores": settings.save_scores, "Overlays": settings.visualize}
        path = Path(settings.output_dir) if settings.output_dir else Path("results") / settings.dataset_name
        return cls(path, tuple(kind for kind in wanted if wanted[kind]))

    def prepare(self) -> None:
        """Creates the folder. Raises OSError, naming it, if nothing can be written there."""
        make_folder(self.path)
        tempfile.TemporaryFile(dir=self.path).close()

    def refuse_overwriting(self, videos: Sequence[TestVideo], truth_directory: str | None) -> None:
        """Raises ValueError if given or true masks would be overwritten."""
        truth = locate(truth_directory) if truth_directory else None
        for video in videos:
            folder = self.masks_of(video).resolve()
            given = {mask.path.parent.resolve() for mask in video.masks.values()}
            if folder in given or (truth and folder == (truth / video.name).resolve()):
                raise ValueError(f"output_dir={self.path}: {folder} contains given or true masks, which would be lost")

    def masks_of(self, video: TestVideo) -> Path:
        """The folder of a video's masks."""
        return self.path / "Annotations" / video.name

    def outputs_of(self, video: TestVideo) -> list[VideoOutput]:
        """The outputs that write a video's files. Reads given masks if their headers do not reveal the coding."""
        folders = {kind: self.path / kind / video.name for kind in self.kinds}
        outputs: list[VideoOutput] = [MaskFiles(folders["Annotations"], video.coding)]
        if "Scores" in folders:
            outputs.append(ProbabilityFiles(folders["Scores"]))
        if "Overlays" in folders:
            outputs.append(OverlayImages(folders["Overlays"]))
        return outputs

    def lacks(self, video: TestVideo) -> bool:
        """Whether one of a video's files is missing."""
        return any(
            missing_files(self.path / kind / video.name, video.saved_names, _SUFFIXES[kind]) for kind in self.kinds
        )


def missing_files(directory: Path, names: Iterable[str], suffix: str = ".png") -> list[str]:
    """The frames whose file is not in the folder yet; empty if the video is complete."""
    there = {path.name for path in directory.glob(f"*{suffix}")}
    return [name for name in names if f"{name}{suffix}" not in there]
