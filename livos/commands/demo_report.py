"""Visualises the masks of one video: overlay.mp4, and contact_sheet.jpg with some of its frames.

    python -m livos.commands.demo_report --images examples/demo/JPEGImages/launch-pad-cafe \\
        --masks results/demo/Annotations/launch-pad-cafe --truth examples/demo/Annotations/launch-pad-cafe \\
        --output results/demo

With --truth, each row of predictions is below a row of true masks. Frames and masks are matched by their file names
without the suffix.
"""

from __future__ import annotations

import argparse
import os
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from livos.files.images import IMAGE_SUFFIXES, read_image
from livos.files.names import files_by_stem
from livos.masks.label_maps import davis_palette, object_ids, read_labels
from livos.pipeline.overlay import contact_sheet, overlay
from livos.video.writer import H264, VideoWriter

GAP = 6


def files_by_name(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """{name without suffix: file} in the order of the frames. Raises ValueError if there are none."""
    files, faults = files_by_stem(folder, suffixes)
    if faults or not files:
        raise ValueError(faults[0] if faults else f"{folder}: expected files {', '.join(suffixes)}, found none")
    return files


def masks_of(frames: dict[str, Path], folder: Path) -> dict[str, Path]:
    """{name: mask file} for every frame. Raises ValueError if a frame has none."""
    masks = files_by_name(folder, (".png",))
    missing = [name for name in frames if name not in masks]
    if missing:
        raise ValueError(f"{folder}: no mask for {len(missing)} of {len(frames)} frames, the first is {missing[0]}")
    return {name: masks[name] for name in frames}


def read_pair(frame: Path, mask: Path) -> tuple[np.ndarray, np.ndarray]:
    """Image (H, W, 3) and labels (H, W). Raises ValueError, naming both files, if their sizes differ."""
    image, labels = read_image(frame), read_labels(mask).labels
    if image.shape[:2] != labels.shape:
        sizes = [f"{array.shape[1]} x {array.shape[0]}" for array in (labels, image)]
        raise ValueError(f"{mask} has {sizes[0]} pixels, but its frame {frame} has {sizes[1]}")
    return image, labels


def write_video(frames: dict[str, Path], masks: dict[str, Path], rate: Fraction, path: Path) -> list[int]:
    """Writes the frames with their masks over them, and returns the ids of all visible objects."""
    ids: set[int] = set()
    with VideoWriter(path, H264, 1 / rate, rate) as video:
        for number, (name, frame) in enumerate(tqdm(frames.items(), desc=path.name, unit="frame")):
            image, labels = read_pair(frame, masks[name])
            ids.update(object_ids(labels))
            video.add(overlay(image, labels), number)
    return sorted(ids)


def evenly_chosen(names: list[str], number: int) -> list[str]:
    """At most `number` names, from the first to the last."""
    places = np.linspace(0, len(names) - 1, min(number, len(names)))
    return [names[round(place)] for place in places]


def cell(frame: Path, mask: Path, width: int) -> np.ndarray:
    """The frame reduced to this width, with its mask drawn at that size, so that outlines stay equally thick."""
    image, labels = read_pair(frame, mask)
    size = (width, max(1, round(width * image.shape[0] / image.shape[1])))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return overlay(small.astype(np.uint8), cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST).astype(np.int32))


def legend(ids: list[int], note: str, width: int) -> np.ndarray:
    """(40, width, 3): a note, and as many objects with their colours as fit."""
    band = np.full((40, width, 3), 255, np.uint8)
    cv2.putText(band, note, (GAP, 27), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
    left = GAP + cv2.getTextSize(note, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1)[0][0] + 24
    for place, object_id in enumerate(ids):
        last = left + 260 > width
        text = f"and {len(ids) - place} more" if last else f"object {object_id}"
        colour = (255, 255, 255) if last else davis_palette()[(object_id - 1) % 255 + 1].tolist()
        cv2.rectangle(band, (left, 10), (left + 20, 30), colour, cv2.FILLED)
        cv2.putText(band, text, (left + 28, 27), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
        left += 28 + cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1)[0][0] + 24
        if last:
            break
    return band


def make_sheet(
    frames: dict[str, Path], rows: dict[str, dict[str, Path]], chosen: list[str], columns: int, width: int
) -> np.ndarray:
    """The chosen frames in rows of `columns`, each row once for every entry of {kind: {name: mask}}."""
    cells, titles = [], []
    cell_width = (width - GAP) // columns - GAP
    for begin in range(0, len(chosen), columns):
        group = chosen[begin : begin + columns]
        for kind, masks in rows.items():
            made = [cell(frames[name], masks[name], cell_width) for name in group]
            blank = [np.full_like(made[0], 255)] * (columns - len(group))
            cells += made + blank
            titles += [f"{name} {kind}".strip() for name in group] + [""] * len(blank)
    return contact_sheet(cells, columns, titles, GAP)


def save_jpeg(picture: np.ndarray, path: Path, quality: int) -> None:
    unfinished = path.with_name(f".{path.name}.part")
    Image.fromarray(picture).save(unfinished, format="JPEG", quality=quality)
    os.replace(unfinished, path)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="folder of the video's frames")
    parser.add_argument("--masks", type=Path, required=True, help="folder of the masks to show, one for each frame")
    parser.add_argument("--truth", type=Path, help="folder of the true masks, for comparison")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    parser.add_argument("--rate", type=Fraction, default=Fraction(24), help="frames per second, such as 30000/1001")
    parser.add_argument("--frames", type=int, default=10, help="how many frames the contact sheet shows")
    parser.add_argument("--columns", type=int, default=5, help="how many of them are side by side")
    parser.add_argument("--width", type=int, default=1800, help="width of the contact sheet in pixels")
    parser.add_argument("--quality", type=int, default=88, help="JPEG quality of the contact sheet, 1 to 95")
    options = parser.parse_args(arguments)
    if options.frames < 1 or not 1 <= options.columns <= options.width // 50:
        parser.error("expected --frames and --columns of at least 1, and --width of at least 50 pixels for each column")
    return options


def make_report(options: argparse.Namespace) -> None:
    frames = files_by_name(options.images, IMAGE_SUFFIXES)
    masks = masks_of(frames, options.masks)
    rows = {"": masks}
    if options.truth is not None:
        rows = {"truth": masks_of(frames, options.truth), "predicted": masks}
    options.output.mkdir(parents=True, exist_ok=True)
    video_path, sheet_path = options.output / "overlay.mp4", options.output / "contact_sheet.jpg"
    ids = write_video(frames, masks, options.rate, video_path)
    chosen = evenly_chosen(list(frames), options.frames)
    sheet = make_sheet(frames, rows, chosen, min(options.columns, len(chosen)), options.width)
    head = legend(ids, options.images.resolve().name, sheet.shape[1])
    save_jpeg(np.concatenate([head, sheet]), sheet_path, options.quality)
    print(f"{video_path}: {len(frames)} frames at {float(options.rate):g} per second")
    print(f"{sheet_path}: {len(chosen)} of them")


def main(arguments: list[str] | None = None) -> None:
    options = parse_arguments(arguments)
    try:
        make_report(options)
    except (ValueError, OSError) as error:
        raise SystemExit(f"{error}") from error


if __name__ == "__main__":
    main()
