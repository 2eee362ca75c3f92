"""Rate of tracking in LiVOS Studio compared with `livos track`, and how soon a frame of a long video is shown.

python benchmarks/studio.py                              150 frames of 1080p, three turns each
python benchmarks/studio.py --size 2160x3840 --frames 60
python benchmarks/studio.py --jumps 100 --frames 9000 --rounds 0
python benchmarks/studio.py --jumps 100 --rounds 0 --video hour.mp4 --browser     your video, in Chromium

Both track the same generated video from the same mask, with the bundled weights, in turns. Both start with a warm
network. Studio runs in a separate process, and a client does what the page does: it listens to the events, and requests
picture and mask of the last tracked frame, at most ten times a second.
With --browser, jumps are made on the page itself, and are timed until the stage has been drawn.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
from video_files import MIB, _size, make_mask, make_video
from websockets.sync.client import connect
from websockets.typing import Origin

from livos import VideoSegmenter, read_labels
from livos.pipeline.job import TrackJob, TrackSettings
from livos.studio.runs import to_runs
from livos.video.sources import find_videos

BETWEEN_LOOKS_S = 0.1
BROWSER_RESTS_S = 5.0
"""Before the first jump, so that what a page does only once, like its first thumbnails, is not measured."""

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
JUMP = """async (frame) => {
    const [stage, field] = [document.querySelector("#stage"), document.querySelector("[data-testid=frame-number]")];
    const isThere = () => stage.dataset.frame === String(frame);
    const begun = performance.now();
    let something = null;
    field.value = frame;
    field.dispatchEvent(new Event("change"));
    for (;;) {
        await new Promise(requestAnimationFrame);
        if (something === null && (isThere() || stage.dataset.preview)) something = performance.now() - begun;
        if (isThere()) return [something / 1000, (performance.now() - begun) / 1000];
    }
}"""


@dataclass
class Page:
    """A client of Studio, instead of the page in a browser."""

    address: str
    process: int
    stack: ExitStack

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        self.token, self.host = parse_qs(parts.query)["token"][0], parts.netloc
        address, origin = f"ws://{self.host}/api/events?token={self.token}", Origin(f"http://{self.host}")
        self.events = self.stack.enter_context(connect(address, origin=origin))
        self.number = json.loads(self.events.recv())["page"]
        self.requests = self.stack.enter_context(httpx.Client(base_url=f"http://{self.host}/api/", timeout=60))

    def ask(self, method: str, path: str, body: bytes | dict | None = None) -> bytes:
        """The answer to a request."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = {"X-Studio-Token": self.token, "X-Studio-Page": str(self.number)}
        return self.requests.request(method, path, content=data, headers=headers).raise_for_status().content

    def wait(self, kind: str, **fields: Any) -> Iterator[dict]:
        """Messages up to the first state whose fields are these."""
        while True:
            message = json.loads(self.events.recv(timeout=600))
            yield message
            state = message.get("state", {})
            if message["type"] == kind and all(state.get(name) == value for name, value in fields.items()):
                return

    def state(self) -> dict[str, Any]:
        """The state, as the server sends it to every page."""
        return json.loads(self.ask("GET", "state"))

    def memory(self) -> int:
        """Bytes of the server's process in memory."""
        status = Path(f"/proc/{self.process}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def cpu_seconds(self) -> float:
        """CPU time that the server has used."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def studio(video: Path, project: Path, short_side: int) -> Iterator[Page]:
    """A separate server for a new project of a video, and a client."""
    command = [sys.executable, "-m", "livos.commands.main", "studio", str(video), "--no-browser", "--port", "0"]
    command += ["--size", str(short_side), "--project", str(project)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, ExitStack() as stack:
        assert process.stdout is not None
        try:
            page = Page(process.stdout.readline().split()[-1], process.pid, stack)
            for _ in page.wait("state", phase="ready", job=None):
                pass
            yield page
        finally:
            process.terminate()


def track_in_studio(page: Page, num_frames: int) -> float:
    """Frames per second when tracking the whole video, from the request to the end of the job."""
    begun = looked = time.perf_counter()
    page.ask("POST", "track", {"frame": 0, "direction": "forward", "last": num_frames - 1})
    for message in page.wait("note"):
        if message["type"] == "frame" and time.perf_counter() - looked > BETWEEN_LOOKS_S:
            looked = time.perf_counter()
            page.ask("GET", f"masks/{message['frame']}")
            page.ask("GET", f"frames/{message['frame']}?width=1280")
    rate = (num_frames - 1) / (time.perf_counter() - begun)
    for _ in page.wait("state", job=None):
        pass
    page.ask("POST", "undo", {})
    return rate


def track_plainly(video: Path, mask: Path, output: Path, segmenter: VideoSegmenter, num_frames: int) -> float:
    """Frames per second of `livos track --write masks`."""
    job = TrackJob.of(find_videos(str(video))[0], mask, output, TrackSettings(write=("masks",)))
    begun = time.perf_counter()
    with closing(job.run(segmenter)) as run:
        for _ in run:
            pass
    return num_frames / (time.perf_counter() - begun)


def jump_by_requests(page: Page, number: int) -> tuple[float, float]:
    """Seconds from a jump to a frame until something is shown, and until the frame itself is."""
    begun = time.perf_counter()
    page.ask("GET", f"frames/{number}?width=1280&quick=1")
    something = time.perf_counter() - begun
    page.ask("GET", f"frames/{number}?width=1280")
    return something, time.perf_counter() - begun


@contextmanager
def browser_at(address: str) -> Iterator[Callable[[int], tuple[float, float]]]:
    """A page at 1920 x 1080 in Chromium, as a function that jumps like `jump_by_requests`."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit(f"no Chromium is installed: looked for {', '.join(BROWSERS)}")
    with sync_playwright() as driver, closing(driver.chromium.launch(executable_path=path)) as browser:
        window = browser.new_page(viewport={"width": 1920, "height": 1080})
        window.goto(address)
        window.wait_for_selector('#stage[data-frame="0"]')
        time.sleep(BROWSER_RESTS_S)
        yield lambda number: tuple(window.evaluate(JUMP, number))


def jump(page: Page, jump_to: Callable[[int], tuple[float, float]], num_frames: int, count: int) -> None:
    """Jumps to random frames, and prints how long it took until something was shown, and the frame itself."""
    rng = np.random.default_rng(0)
    before, most = page.memory(), 0
    took = []
    for number in rng.integers(0, num_frames, count):
        took.append(jump_to(int(number)))
        most = max(most, page.memory())
    for what, values in zip(("something", "the frame"), np.transpose(took), strict=True):
        middle, high, highest = (1000 * np.percentile(values, share) for share in (50, 95, 100))
        shares = f"{middle:.0f} ms (median), {high:.0f} (95 of 100), {highest:.0f} (all)"
        print(f"{count} jumps until {what} is there: {shares}")
    print(f"memory of the server: {before / MIB:.0f} MiB before, at most {most / MIB:.0f} MiB")


def main() -> None:
    options = parse_arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video, mask = options.video or folder / "video.mp4", folder / "mask.png"
        if options.video is None:
            make_video(video, options.size, options.frames)
        with studio(video, folder / "studio", options.short_side) as page, ExitStack() as stack:
            shown = page.state()["video"]
            options.frames, options.size = shown["num_frames"], (shown["height"], shown["width"])
            if options.jumps:
                jump_to: Callable[[int], tuple[float, float]] = partial(jump_by_requests, page)
                if options.browser:
                    jump_to = stack.enter_context(browser_at(page.address))
                jump(page, jump_to, options.frames, options.jumps)
            stack.close()
            make_mask(mask, options.size, options.objects)
            if options.rounds:
                compare(page, video, mask, folder, options)


def compare(page: Page, video: Path, mask: Path, folder: Path, options: argparse.Namespace) -> None:
    """Tracks in turns, and prints both rates and the CPU time per frame."""
    labels = read_labels(mask).labels
    for _ in range(options.objects):
        page.ask("POST", "objects", {})
    ids = ",".join(str(number + 1) for number in range(options.objects))
    page.ask("PUT", f"masks/0?ids={ids}&title=mask", to_runs(labels))
    segmenter = VideoSegmenter("lite", size=options.short_side)
    track_in_studio(page, 8)  # warms up both
    track_plainly(video, mask, folder / "warm", segmenter, options.frames)
    rates: dict[str, list[float]] = {"livos track": [], "studio": []}
    costs: dict[str, list[float]] = {"livos track": [], "studio": []}
    for turn in range(options.rounds):
        begun = time.process_time()
        rates["livos track"].append(track_plainly(video, mask, folder / f"plain-{turn}", segmenter, options.frames))
        costs["livos track"].append((time.process_time() - begun) / options.frames)
        begun = page.cpu_seconds()
        rates["studio"].append(track_in_studio(page, options.frames))
        costs["studio"].append((page.cpu_seconds() - begun) / (options.frames - 1))
        print(", ".join(f"{kind} {values[-1]:.2f}" for kind, values in rates.items()), "frames/s", flush=True)
    for kind in rates:
        rate, cost = np.median(rates[kind]), 1000 * np.median(costs[kind])
        print(f"{kind}: {rate:.2f} frames/s (median), {cost:.0f} ms of CPU time per frame")
    print(f"studio: {100 * np.median(rates['studio']) / np.median(rates['livos track']):.0f} % of the rate")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--video", type=Path, help="use this video instead of a generated one")
    parser.add_argument("--browser", action="store_true", help="jump on the page, in Chromium")
    parser.add_argument("--size", type=_size, default=(1080, 1920), metavar="HxW")
    parser.add_argument("--objects", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jumps", type=int, default=20)
    parser.add_argument("--internal-size", dest="short_side", type=int, default=320)
    return parser.parse_args()


if __name__ == "__main__":
    main()
