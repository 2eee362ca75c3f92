"""Make a long video from a short one, with its masks, by playing it back and forth, to test long-term stability.

    python scripts/expand_long_video.py --images ../DAVIS/2017/trainval/JPEGImages/480p/blackswan \\
        --masks ../DAVIS/2017/trainval/Annotations/480p/blackswan --output ../long --frames 3000

This writes ../long/JPEGImages/blackswan and ../long/Annotations/blackswan with names from 00000000 on. Playing back and
forth has no jumps and shows each end once; with --repeat, the clip starts over instead, with a cut. Frames without a
mask stay without one. To segment the result: python livos/eval.py dataset=generic
image_directory=../long/JPEGImages mask_directory=../long/Annotations weights=./weights/livos-nomose-480p.pth
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from tqdm import tqdm

from livos.files.atomic import copy_file, written_aside
from livos.files.images import IMAGE_SUFFIXES
from livos.files.names import files_by_stem


def play(num_source: int, num_frames: int, repeat: bool = False) -> Iterator[int]:
    """`num_frames` positions in a clip of `num_source` frames: 0 1 2 3 2 1 0 1 …, or 0 1 2 3 0 1 … with `repeat`."""
    forth = list(range(num_source))
    back = [] if repeat else forth[-2:0:-1]
    return islice(cycle(forth + back), num_frames)


def list_frames(image_dir: Path) -> list[Path]:
    """The frames of a folder in natural order. Raises ValueError if there are none, or two with the same name."""
    files, faults = files_by_stem(image_dir, IMAGE_SUFFIXES)
    if not files:
        raise ValueError(f"{image_dir}: expected frames ({', '.join(IMAGE_SUFFIXES)}), found none")
    if faults:
        raise ValueError("; ".join(faults))
    return list(files.values())


def expand(
    image_dir: Path, mask_dir: Path, output: Path, num_frames: int, repeat: bool = False, link: bool = False
) -> tuple[int, int]:
    """Writes the long video; returns the number of frames and masks. Masks are found by the names of the frames.

    Raises ValueError if there are no frames, or no mask for any of them.
    """
    frames = list_frames(image_dir)
    masks, faults = files_by_stem(mask_dir, (".png",))
    if faults:
        raise ValueError("; ".join(faults))
    if not masks.keys() & {path.stem for path in frames}:
        raise ValueError(f"{mask_dir}: expected masks named like frames, {frames[0].stem}.png …, found {len(masks)}")
    long_images, long_masks = output / "JPEGImages" / image_dir.name, output / "Annotations" / image_dir.name
    for directory in (long_images, long_masks):
        directory.mkdir(parents=True, exist_ok=True)
        refuse_longer(directory, num_frames)
    num_masks = 0
    for number, position in enumerate(tqdm(play(len(frames), num_frames, repeat), total=num_frames, unit="frame")):
        frame = frames[position]
        place(frame, long_images / f"{number:08d}{frame.suffix}", link)
        if frame.stem in masks:
            place(masks[frame.stem], long_masks / f"{number:08d}.png", link)
            num_masks += 1
    return num_frames, num_masks


def refuse_longer(directory: Path, num_frames: int) -> None:
    """Raises ValueError if an earlier run left a longer video, whose end would stay."""
    surplus = sorted(path.name for path in directory.iterdir() if path.stem >= f"{num_frames:08d}")
    if surplus:
        raise ValueError(f"{directory}: contains {surplus[0]} … of a longer video; delete the folder first")


def place(source: Path, target: Path, link: bool) -> None:
    """Copies or hard-links a file. An earlier `target` is replaced."""
    if not link:
        copy_file(source, target)
    elif not (target.exists() and target.samefile(source)):
        with written_aside(target) as aside:
            os.link(source, aside)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="folder of the frames of a video")
    parser.add_argument("--masks", type=Path, required=True, help="folder of its masks")
    parser.add_argument("--output", type=Path, required=True, help="folder for JPEGImages/ and Annotations/")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--frames", type=int, help="length of the long video in frames")
    length.add_argument("--times", type=int, help="length as a multiple of the short one")
    parser.add_argument("--repeat", action="store_true", help="start over at the end instead of playing backwards")
    parser.add_argument("--link", action="store_true", help="hard links instead of copies (same disk only)")
    options = parser.parse_args(arguments)
    try:
        num_frames = options.frames or options.times * len(list_frames(options.images))
        if num_frames < 1:
            raise ValueError(f"the long video would have {num_frames} frames, expected at least 1")
        num_frames, num_masks = expand(
            options.images, options.masks, options.output, num_frames, options.repeat, options.link
        )
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.output}: {num_frames} frames, {num_masks} masks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
