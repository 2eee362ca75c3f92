"""The file to submit to a benchmark's server: a zip of masks, or BURST's JSON."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from livos.config.schema import TestSetConfig
from livos.evaluation.burst import write_predictions
from livos.evaluation.output_folder import missing_files
from livos.evaluation.sets import locate_all
from livos.evaluation.video import TestVideo
from livos.files.atomic import written_aside
from livos.files.names import some_of


def write_submission(settings: TestSetConfig, videos: Sequence[TestVideo], output_dir: Path) -> Path | None:
    """Packs the masks in `<output_dir>/Annotations` as the set's server expects them; None if there is no server.

    Writes `<output_dir>/<dataset_name>.zip` or `.json` atomically, with only the frames that the server requests.
    Raises ValueError, naming the video, if one of them has no mask.
    """
    if settings.archive is None:
        return None
    masks = Path(output_dir) / "Annotations"
    _check_complete(videos, masks)
    if settings.archive == "burst":
        path = Path(output_dir) / f"{settings.dataset_name}.json"
        codings = {video.name: video.coding for video in videos}
        write_predictions(locate_all(settings)["annotation_file"], masks, path, codings)
        return path
    path = Path(output_dir) / f"{settings.dataset_name}.zip"
    inside = "Annotations/" if settings.archive == "folder" else ""
    with written_aside(path) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:  # PNG is compressed
        for video in videos:
            for name in video.asked_names:
                archive.write(masks / video.name / f"{name}.png", f"{inside}{video.name}/{name}.png")
    return path


def _check_complete(videos: Sequence[TestVideo], masks: Path) -> None:
    for video in videos:
        if missing := missing_files(masks / video.name, video.asked_names):
            raise ValueError(f"{masks / video.name} lacks the masks of {some_of(missing)}: nothing to submit yet")
