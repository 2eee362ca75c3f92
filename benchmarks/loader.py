"""How long a training clip takes to prepare, by stage, on one core.

    python benchmarks/loader.py                                      # generated videos of 854 x 480
    python benchmarks/loader.py --data small --root <data root>      # the sets of livos/config/data/small.yaml
    python benchmarks/loader.py --data small --root <data root> data.image_sets.ecssd.repeat=0   # without one of them

Times are CPU times, which other programs on the machine hardly affect. Clips per second of wall-clock time are also
given, and with --workers those of the whole loader.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
from hydra import compose, initialize_config_module
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf
from PIL import Image

from livos.config.schema import DataConfig, VideoSetConfig
from livos.training.data import image_sets, merging, video_sets
from livos.training.data.augmentation import Warp
from livos.training.data.loaders import ClipDataset, collate, make_loader


class Stopwatch:
    """CPU time by stage; a stage does not include the stages that it calls."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def timed(self, stage: str, function: Callable) -> Callable:
        def measured(*arguments, **options):
            self._inner.append(0.0)
            start = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                total = time.process_time() - start
                self.seconds[stage] += total - self._inner.pop()
                self._inner[-1] += total

        return measured

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Inside, the functions that make a clip are timed."""
        apply, stages = Warp.apply, []

        def apply_to(warp, image, *arguments, **options):
            stage = "warp of images" if image.ndim == 3 else "warp of masks"
            return self.timed(stage, apply)(warp, image, *arguments, **options)

        for module in (video_sets, image_sets):
            stages += [(module, "read_image", "decoding of images"), (module, "read_mask", "decoding of masks")]
        stages += [(video_sets, "choose_frames", "choice of frames"), (merging, "paste", "merging")]
        stages += [(image_sets, "random_image_warps", "thin-plate splines")]
        patches = [mock.patch.object(place, name, self.timed(s, getattr(place, name))) for place, name, s in stages]
        patches.append(mock.patch.object(Warp, "apply", apply_to))
        for patch in patches:
            patch.start()
        try:
            yield
        finally:
            for patch in patches:
                patch.stop()


def write_generated_videos(root: Path, count: int = 4, num_frames: int = 16) -> DataConfig:
    """Videos of 854 x 480 with two ellipses on a textured background, and settings that read them."""
    generator = np.random.default_rng(0)
    for k in range(count):
        noise = generator.integers(0, 256, (480, 854, 3), dtype=np.uint8)
        background = cv2.convertScaleAbs(cv2.GaussianBlur(noise, (0, 0), 1.5), alpha=4, beta=-384)
        images, masks = root / f"videos/JPEGImages/{k}", root / f"videos/Annotations/{k}"
        images.mkdir(parents=True)
        masks.mkdir(parents=True)
        for t in range(num_frames):
            labels = np.zeros((480, 854), dtype=np.uint8)
            cv2.ellipse(labels, (200 + 8 * t, 240), (90, 60), 10 * t, 0, 360, 1, -1)
            cv2.ellipse(labels, (600, 200 + 5 * t), (60, 110), 5 * t, 0, 360, 2, -1)
            cv2.imwrite(str(images / f"{t:05d}.jpg"), np.bitwise_xor(background, (labels * 60)[..., None]))
            Image.fromarray(labels).convert("P").save(masks / f"{t:05d}.png")
    return DataConfig(root=str(root), video_sets={"generated": VideoSetConfig(folders=["videos"])})


def read_settings(data: str, root: str, overrides: list[str]) -> DataConfig:
    """The mixture `data` of livos/config/data with `data.key=value` overrides."""
    ConfigStore.instance().store("loader_benchmark", {"data": DataConfig})
    with initialize_config_module("livos.config", version_base=None):
        config = compose("loader_benchmark", overrides=[f"+data={data}", f"data.root={root}", *overrides])
    settings = OmegaConf.to_object(config.data)
    assert isinstance(settings, DataConfig)
    return settings


def measure_stages(settings: DataConfig, num_clips: int) -> None:
    cv2.setNumThreads(0)
    dataset = ClipDataset(settings, seed=0, num_samples=10 * num_clips)
    watch = Stopwatch()
    for index in range(3):  # read the folders, load the libraries
        dataset[index]
    merged = 0
    with watch.watching():
        clock, processor = time.perf_counter(), time.process_time()
        for index in range(num_clips):
            sample = dataset[index]
            merged += " + " in sample[0].name
            watch.timed("collating", collate)([sample])
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
    watch.seconds["everything else"] = processor - sum(watch.seconds.values())
    print(f"{num_clips} clips of {settings.num_frames} frames of {settings.size} x {settings.size}, {merged} merged")
    for stage, seconds in sorted(watch.seconds.items(), key=lambda item: -item[1]):
        print(f"  {stage:<20} {1000 * seconds / num_clips:7.1f} ms per clip  {100 * seconds / processor:5.1f} %")
    print(f"one core: {num_clips / processor:.1f} clips/s of CPU time, {num_clips / clock:.1f} of wall-clock time")


def measure_loader(settings: DataConfig, num_clips: int, num_workers: int) -> None:
    iterations = num_clips // 4
    loader = iter(make_loader(settings, seed=0, batch_size=4, num_iterations=iterations, num_workers=num_workers))
    next(loader)
    start = time.perf_counter()
    clips = sum(len(batch.names) for batch in loader)
    print(f"loader with {num_workers} workers, batches of 4: {clips / (time.perf_counter() - start):.1f} clips/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="small", help="a mixture of livos/config/data (default: small)")
    parser.add_argument("--root", help="the folder with DAVIS/, static/ … (default: generated videos)")
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--workers", type=int, default=0, help="also measure the whole loader, with this many workers")
    parser.add_argument("overrides", nargs="*", help="settings, such as data.size=384")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.root:
            settings = read_settings(arguments.data, arguments.root, arguments.overrides)
        else:
            settings = write_generated_videos(Path(folder))
        measure_stages(settings, arguments.clips)
        if arguments.workers:
            measure_loader(settings, arguments.clips, arguments.workers)


if __name__ == "__main__":
    main()
