"""Train on a single clip until the network segments it almost perfectly: a quick check that everything learns.

    python scripts/overfit_one_clip.py
    python scripts/overfit_one_clip.py --model base --images VIDEO/frames --masks VIDEO/masks --device cuda

It trains on eight frames of the bundled demo clip, cropped to their centre and reduced, without random changes and from
random weights, and then segments them like any video. The exit status is 1 if J&F stays below --target. With the
defaults it takes about three minutes of CPU time. --output keeps the folder: curves, pictures, weights.
"""

import argparse
import json
import logging
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from livos.build import model_config, model_names
from livos.config.choices import Schedule
from livos.config.schema import (
    ColourConfig,
    DataConfig,
    StageConfig,
    TestSetConfig,
    TrainConfig,
    ValidationConfig,
    VideoSetConfig,
    VideoWarpConfig,
)
from livos.distributed import joined_processes
from livos.files.images import IMAGE_SUFFIXES, read_image
from livos.files.names import files_by_stem
from livos.masks.label_maps import read_labels, write_labels
from livos.training.trainer import train

DEMO = Path(__file__).resolve().parents[1] / "examples" / "demo"
CLIP = "launch-pad-cafe"


def write_small_clip(images: Path, masks: Path, folder: Path, num_frames: int, step: int, size: int) -> None:
    """Writes every `step`-th frame with its mask, the central square resized to `size` pixels, as a training set.

    Raises ValueError if there are too few frames that have a mask.
    """
    frame_paths, _ = files_by_stem(images, IMAGE_SUFFIXES)
    mask_paths, _ = files_by_stem(masks, (".png",))
    names = [name for name in frame_paths if name in mask_paths][: num_frames * step : step]
    if len(names) < num_frames:
        raise ValueError(f"{images} and {masks} have {len(names)} frames to train on, but {num_frames} are needed")
    for kind in ("JPEGImages", "Annotations"):
        (folder / kind / "clip").mkdir(parents=True)
    for name in names:
        image = cv2.resize(middle(read_image(frame_paths[name])), (size, size), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"JPEGImages/clip/{name}.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        mask = read_labels(mask_paths[name])
        labels = cv2.resize(middle(mask.labels), (size, size), interpolation=cv2.INTER_NEAREST).astype(np.int32)
        write_labels(folder / f"Annotations/clip/{name}.png", labels, mask.coding)


def middle(picture: np.ndarray) -> np.ndarray:
    """The largest square at the centre of (H, W) or (H, W, 3)."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def settings(options: argparse.Namespace, folder: Path, output: Path) -> TrainConfig:
    """A run on the unchanged clip: no random warp, colour or merging; scored on the same frames."""
    still = ColourConfig(brightness=0.0, contrast=0.0, saturation=0.0)
    masks = str(folder / "Annotations")
    return TrainConfig(
        exp_id="overfit",
        output_dir=str(output),
        model=model_config(options.model),
        data=DataConfig(
            root=str(folder),
            video_sets={"clip": VideoSetConfig(folders=["."])},
            num_frames=options.frames,
            size=options.size,
            merge_probability=0.0,
            grey_probability=0.0,
            video_warp=VideoWarpConfig(0.0, 0.0, 0.0, crop_scale=[1.0, 1.0], crop_ratio=[1.0, 1.0]),
            clip_colour=still,
            frame_colour=still,
        ),
        pre_training=StageConfig(enabled=False),
        main_training=StageConfig(
            iterations=options.iterations,
            batch_size=1,
            num_points=2048,
            learning_rate=options.learning_rate,
            schedule=Schedule.poly,
            warmup=options.iterations // 20,
        ),
        validation=ValidationConfig(
            every=max(1, options.iterations // 6),
            dataset=TestSetConfig("clip", "", "", str(folder / "JPEGImages"), masks, truth_directory=masks, size=-1),
        ),
        pretrained=False,
        device=options.device,
        num_workers=0,
        log_every=10,
        picture_every=options.iterations,
    )


def best_score(output: Path) -> float:
    """The best J&F that the run has recorded."""
    lines = map(json.loads, (output / "metrics.jsonl").read_text().splitlines())
    return max(line["validation_jf"] for line in lines if "validation_jf" in line)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, default=DEMO / "JPEGImages" / CLIP, help="folder of frames")
    parser.add_argument("--masks", type=Path, default=DEMO / "Annotations" / CLIP, help="folder of their masks")
    parser.add_argument("--model", default="lite", choices=model_names())
    parser.add_argument("--frames", type=int, default=8, help="frames to train on")
    parser.add_argument("--step", type=int, default=2, help="use every STEP-th frame")
    parser.add_argument("--size", type=int, default=128, help="side in pixels, a multiple of 16")
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--target", type=float, default=95.0, help="J&F to reach")
    parser.add_argument("--output", type=Path, help="folder to keep the experiment in")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as temporary, joined_processes(options.device) as process:
        folder, output = Path(temporary) / "clip", options.output or Path(temporary) / "run"
        write_small_clip(options.images, options.masks, folder, options.frames, options.step, options.size)
        train(settings(options, folder, output), process)
        score = best_score(output)
    print(f"J&F {score:.1f} on the training clip, target {options.target:g}")
    sys.exit(score < options.target)


if __name__ == "__main__":
    main()
