"""Average the scores of several runs (other sizes, mirrored frames, other weights) and write the resulting masks.

    python livos/eval.py dataset=d17-val size=480 save_scores=true output_dir=./results/480 weights=...
    python livos/eval.py dataset=d17-val size=720 save_scores=true output_dir=./results/720 weights=...
    python scripts/merge_scores.py --scores ./results/480/Scores ./results/720/Scores \\
        --masks ../DAVIS/2017/trainval/Annotations/480p --output ./results/merged/Annotations

With --masks, the palette and the coding of ids are those of each video's first given mask there; otherwise masks are
written in the DAVIS palette. All runs must have scores for the same frames. Running it again overwrites the masks with
the same content.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from livos.files.names import files_by_stem, natural_order
from livos.masks.label_maps import LabelCoding, read_labels, write_labels
from livos.pipeline.probabilities import average_probabilities, read_object_ids, read_probabilities


def common_frames(score_dirs: list[Path]) -> list[Path]:
    """`<video>/<frame>.npz`, relative to each folder. Raises ValueError if the contents of the folders differ."""
    frames = [{path.relative_to(score_dir) for path in score_dir.glob("[!.]*/[!.]*.npz")} for score_dir in score_dirs]
    for score_dir, found in zip(score_dirs, frames, strict=True):
        if not found:
            raise ValueError(f"{score_dir}: expected <video>/<frame>.npz (save_scores=true writes them), found none")
        missing = sorted(frames[0] ^ found)
        if missing:
            raise ValueError(
                f"{score_dirs[0]} and {score_dir} do not contain the same frames: {len(missing)} are only in one, "
                f"the first is {missing[0].as_posix()}"
            )
    return sorted(frames[0], key=lambda path: natural_order(path.as_posix()))


def codings(mask_dir: Path | None, videos: set[str]) -> dict[str, LabelCoding]:
    """How to code each video's masks: like its first mask in `mask_dir`."""
    if mask_dir is None:
        return {video: LabelCoding() for video in videos}
    first = {video: next(iter(files_by_stem(mask_dir / video, (".png",))[0].values()), None) for video in videos}
    without = sorted(video for video, path in first.items() if path is None)
    if without:
        raise ValueError(f"{mask_dir}: no masks for {', '.join(without)}")
    return {video: read_labels(path).coding for video, path in first.items() if path is not None}


def widest_ids(score_dirs: list[Path], frames: list[Path]) -> dict[str, int]:
    """The largest object id of each video."""
    widest: dict[str, int] = {}
    for frame in frames:
        ids = [object_id for score_dir in score_dirs for object_id in read_object_ids(score_dir / frame)]
        widest[frame.parts[0]] = max(widest.get(frame.parts[0], 0), *ids, 0)
    return widest


def merge_frame(score_dirs: list[Path], frame: Path, coding: LabelCoding, output: Path) -> None:
    """Averages one frame's scores and writes its mask to `output`."""
    try:
        labels = average_probabilities([read_probabilities(score_dir / frame) for score_dir in score_dirs]).labels()
    except ValueError as error:
        raise ValueError(f"{frame.as_posix()}: {error}") from error
    write_labels(output / frame.with_suffix(".png"), labels, coding)


def merge(score_dirs: list[Path], output: Path, mask_dir: Path | None = None, workers: int | None = None) -> int:
    """Writes the masks of all frames, returns how many. Raises ValueError before writing if frames are missing."""
    frames = common_frames(score_dirs)
    widest = widest_ids(score_dirs, frames)
    coding = {video: given.widened(widest[video]) for video, given in codings(mask_dir, set(widest)).items()}
    for video in coding:
        (output / video).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(workers) as pool:
        merging = [pool.submit(merge_frame, score_dirs, frame, coding[frame.parts[0]], output) for frame in frames]
        for future in tqdm(merging, unit="frame"):
            future.result()
    return len(frames)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="folders of scores, one per run")
    parser.add_argument("--output", type=Path, required=True, help="folder to write masks to, one folder per video")
    parser.add_argument("--masks", type=Path, help="folder of the given masks, for their palette and coding")
    parser.add_argument("--workers", type=int, help="threads (default: by the number of cores)")
    options = parser.parse_args(arguments)
    try:
        num_frames = merge(options.scores, options.output, options.masks, options.workers)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.output}: {num_frames} masks from {len(options.scores)} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
