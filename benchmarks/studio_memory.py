"""Memory of LiVOS Studio's server over a long session.

python benchmarks/studio_memory.py                     30 turns in a generated video of 1080p, 1500 frames
python benchmarks/studio_memory.py --video hour.mp4    in your video

In each turn, a client does what the page does when a person works: it jumps around in the video, draws an object on a
frame, tracks it, corrects it with strokes, and undoes and redoes some of this. The server runs in a separate process,
with the bundled weights. After each turn the program prints how much of the server's memory is resident.
"""

import argparse
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from studio import Page, jump_by_requests, studio
from video_files import MIB, _size, make_video

from livos.studio.runs import to_runs

STROKE_RADIUS = 40


class Person:
    """Works on a video through a page."""

    def __init__(self, page: Page, size: tuple[int, int], num_frames: int):
        self.page, self.size, self.num_frames = page, size, num_frames
        self._rng = np.random.default_rng(0)

    def jumps(self, count: int) -> None:
        """Looks at frames anywhere, at their masks, and at thumbnails."""
        for number in self._rng.integers(0, self.num_frames, count):
            jump_by_requests(self.page, int(number))
            self.page.ask("GET", f"masks/{number}")
            self.page.ask("GET", f"frames/{number}?span=100")

    def tracks(self, length: int) -> range:
        """Draws object 1 on a frame, tracks it over `length` frames, and returns these frames."""
        first = int(self._rng.integers(0, self.num_frames - length))
        self._draws(first, self.size[0] // 4)
        self.page.ask("POST", "track", {"frame": first, "direction": "forward", "last": first + length - 1})
        self._waits()
        return range(first, first + length)

    def corrects(self, frames: range, count: int) -> None:
        """Draws on `count` of these frames."""
        for number in self._rng.choice(frames, count):
            self._draws(int(number), STROKE_RADIUS)

    def undoes(self, count: int) -> None:
        """Undoes `count` steps, and redoes half of them."""
        for _ in range(count):
            self.page.ask("POST", "undo", {})
        for _ in range(count // 2):
            self.page.ask("POST", "redo", {})

    def _draws(self, number: int, radius: int) -> None:
        labels = np.zeros(self.size, np.uint8)
        x, y = (int(self._rng.integers(radius, side - radius)) for side in self.size[::-1])
        cv2.circle(labels, (x, y), radius, 1, -1)
        self.page.ask("PUT", f"masks/{number}?ids=1&title=stroke", to_runs(labels))

    def _waits(self) -> None:
        """Waits until tracking has ended and the pages were told."""
        for _ in self.page.wait("note"):
            pass
        for _ in self.page.wait("state", job=None):
            pass


def work(person: Person, options: argparse.Namespace) -> None:
    """A long session, with a line of a table after each turn."""
    person.page.ask("POST", "objects", {})
    print(f"before: {person.page.memory() / MIB:.0f} MiB", flush=True)
    begun = time.perf_counter()
    for turn in range(1, options.turns + 1):
        person.jumps(options.jumps)
        frames = person.tracks(options.length)
        person.corrects(frames, options.strokes)
        person.undoes(options.undos)
        done = f"{turn * options.jumps} jumps, {turn * options.length} tracked frames, {turn * options.strokes} strokes"
        minutes = (time.perf_counter() - begun) / 60
        print(f"turn {turn}: {done}, {minutes:.1f} min: {person.page.memory() / MIB:.0f} MiB", flush=True)


def main() -> None:
    options = parse_arguments()
    with tempfile.TemporaryDirectory() as name:
        video = options.video or Path(name) / "video.mp4"
        if options.video is None:
            make_video(video, options.size, options.frames)
        with studio(video, Path(name) / "studio", options.short_side) as page:
            shown = page.state()["video"]
            work(Person(page, (shown["height"], shown["width"]), shown["num_frames"]), options)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, help="use this video instead of a generated one")
    parser.add_argument("--frames", type=int, default=1500, help="length of the generated video")
    parser.add_argument("--size", type=_size, default=(1080, 1920), metavar="HxW")
    parser.add_argument("--internal-size", dest="short_side", type=int, default=240)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--jumps", type=int, default=20, help="in each turn")
    parser.add_argument("--length", type=int, default=16, help="frames that are tracked in each turn")
    parser.add_argument("--strokes", type=int, default=10, help="in each turn")
    parser.add_argument("--undos", type=int, default=6, help="in each turn; half of them are redone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
