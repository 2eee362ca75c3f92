"""How well different rules for the memory work on long videos: J at the beginning, in the middle and at the end.

    python benchmarks/stress.py --images ../DAVIS/2016/JPEGImages/480p --masks ../DAVIS/2016/Annotations/480p \\
        --videos bus hike scooter-gray mallard-water --kinds fast hidden twin spinning --clips 2 --frames 60 \\
        --write long --weights
    python benchmarks/memory_rules.py --images long/JPEGImages --masks long/Annotations --frames 1000

The first command makes eight videos; add others that were not trained on. Each video is played back and forth until it
is long enough; at intervals (--away) frames of another video are shown, which do not contain the object. Rules:

today    the normaliser grows with every frame, as the released weights expect
capped   from frame 32 on it grows only as the state does, by the gates of the frame at hand (memory_cap=32 of a model)
counted  the same by the gates of all frames: N_v = g_v N_v + 1 for channel v with gate g_v
slow     as counted, only for channels whose gate is above 0.99
kept     the readout of the given frame's state is kept separately and mixed in with weight 0.2
sure     a frame is written into the memory only if its confidence is above 0.5

The table shows J x 100, the mean over videos, for tenths of the video, without the frames that lack the object.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from livos import VideoSegmenter
from livos.files.images import IMAGE_SUFFIXES, read_image
from livos.files.names import files_by_stem, folders_in
from livos.loading import load_model
from livos.masks.label_maps import read_labels
from livos.model.memory import LinearMemory
from livos.segmenter.segmenter import EncodedFrame
from livos.segmenter.state import SegmenterState

RULES = ("today", "capped", "counted", "slow", "kept", "sure")
CAP = 32  # frames after which the normaliser stops growing as before
SLOW = 0.99  # gate above which a channel is slow
SHARE = 0.2  # of the given frame's readout
SURE = 0.5  # lowest confidence at which a frame is written


@dataclass(frozen=True)
class RuledMemory(LinearMemory):
    """The memory under another rule, for one clip with objects that are given on its first frame."""

    rule: str = "today"
    counts: Tensor | None = None  # (V,): N_v
    counts_at_cap: Tensor | None = None  # (V,)
    gates: Tensor | None = None  # (V,): of the last frame
    first: LinearMemory | None = None  # after the given frame

    def read(self, key: Tensor) -> Tensor:
        readout = super().read(key)
        if self.rule == "kept" and self.first is not None:
            return (1 - SHARE) * readout + SHARE * self.first.read(key)
        if self.counts is None or self.counts_at_cap is None or self.rule not in ("counted", "slow"):
            return readout
        # today's normaliser of t frames would be one of CAP frames whose sum grows as the state does
        factor = float(self.num_frames[0, 0]) / (CAP * self.counts / self.counts_at_cap)
        if self.rule == "slow" and self.gates is not None:
            factor = torch.where(self.gates > SLOW, factor, torch.ones_like(factor))
        return readout * factor[:, None, None]

    def write(self, key: Tensor, value: Tensor, gate: Tensor, cap: int | None = None) -> "RuledMemory":
        written = super().write(key, value, gate, cap)
        gates = gate[0].float()
        counts = torch.ones_like(gates) if self.counts is None else gates * self.counts + 1
        capped = counts if int(written.num_frames[0, 0]) == CAP else self.counts_at_cap
        return RuledMemory(
            **vars(written),
            rule=self.rule,
            counts=counts,
            counts_at_cap=capped,
            gates=gates,
            first=self.first or written,
        )


class RuledSegmenter(VideoSegmenter):
    """A segmenter whose memory follows a rule."""

    rule = "today"

    def _remember(self, frame: EncodedFrame, inner: Tensor, state: SegmenterState) -> SegmenterState:
        assert state.video is not None
        before = state.video.memory
        if not isinstance(before, RuledMemory):
            state = replace(state, video=replace(state.video, memory=RuledMemory(**vars(before), rule=self.rule)))
        later = super()._remember(frame, inner, state)
        if self.rule == "sure" and self.expected is not None and float(self.expected) < SURE:
            assert later.video is not None
            return replace(later, video=replace(later.video, memory=before))
        return later

    expected: Tensor | None = None  # confidence of the frame to remember

    def _judge(self, inner: Tensor, state: SegmenterState) -> tuple[Tensor, SegmenterState]:
        expected, state = super()._judge(inner, state)
        self.expected = expected[0] if len(expected) else None
        return expected, state


def play(num_source: int, num_frames: int) -> Iterator[int]:
    """Positions 0 1 2 … and back again."""
    for t in range(num_frames):
        place = t % (2 * num_source - 2)
        yield min(place, 2 * num_source - 2 - place)


def is_away(t: int, every: int, length: int) -> bool:
    """Whether another video is shown on frame t: `length` frames in the middle of each `every`."""
    return length > 0 and every // 2 <= t % every < every // 2 + length


def read_video(name: str, options: argparse.Namespace) -> list[tuple[np.ndarray, np.ndarray]]:
    """Frames and masks (H, W) bool at the requested short side."""
    frames, _ = files_by_stem(options.images / name, IMAGE_SUFFIXES)
    masks, _ = files_by_stem(options.masks / name, (".png",))
    pairs = [(read_image(path), read_labels(masks[stem]).labels > 0) for stem, path in frames.items() if stem in masks]
    if len(pairs) < 2 or not pairs[0][1].any():
        raise ValueError(f"{options.images / name}: expected frames with masks, the first of which shows the object")
    height, width = pairs[0][1].shape
    factor = options.size / min(height, width)
    size = round(width * factor), round(height * factor)
    return [
        (cv2.resize(image, size, interpolation=cv2.INTER_AREA),
         cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)
        for image, mask in pairs
    ]  # fmt: skip


def follow(segmenter: RuledSegmenter, video: list, other: list, options: argparse.Namespace) -> np.ndarray:
    """(T,) J of each frame, NaN where the object is not visible."""
    segmenter.reset()
    overlaps = np.full(options.frames, np.nan)
    height, width = video[0][1].shape
    for t, place in enumerate(play(len(video), options.frames)):
        image, mask = video[place]
        if is_away(t, options.every, options.away):
            image = cv2.resize(other[t % len(other)][0], (width, height))
            mask = np.zeros_like(mask)
        labels = segmenter.step(image, mask.astype(np.int32) if t == 0 else None).labels
        if t > 0 and mask.any():
            overlaps[t] = np.count_nonzero((labels > 0) & mask) / np.count_nonzero((labels > 0) | mask)
    return overlaps


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--weights", default="lite", help="a name (lite, nomose-480p) or a file (default: lite)")
    add("--model", help="network of the file, if its name and content do not reveal it")
    add("--images", type=Path, required=True, help="folder with a folder of frames for each video")
    add("--masks", type=Path, required=True, help="the same for masks")
    add("--videos", nargs="+", help="names of two videos or more (default: all in --images)")
    add("--rules", nargs="+", choices=RULES, default=list(RULES), metavar="RULE", help="(default: all)")
    add("--frames", type=int, default=1000, help="length of the videos (default: 1000)")
    add("--size", type=int, default=240, help="short side in pixels (default: 240)")
    add("--every", type=int, default=200, help="frames from one absence to the next (default: 200)")
    add("--away", type=int, default=50, help="frames of an absence, 0 for none (default: 50)")
    add("--device", default="auto")
    options = parser.parse_args(arguments)
    if options.frames < 20:
        parser.error("expected --frames of at least 20")
    return options


def main(arguments: list[str] | None = None) -> None:
    options = parse_arguments(arguments)
    try:
        network = load_model(options.weights, options.model)
        names = options.videos or [folder.name for folder in folders_in(options.images)]
        if len(names) < 2:
            raise ValueError(f"expected two videos or more, found {len(names)} in {options.images}")
        videos = [read_video(name, options) for name in names]
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    print("rule     " + " ".join(f"{10 * k:3}-{10 * (k + 1):3}%" for k in range(10)) + "     all")
    for rule in options.rules:
        network.config = replace(network.config, memory_cap=CAP if rule == "capped" else None)
        segmenter = RuledSegmenter(network, options.device, size=options.size)
        segmenter.rule = rule
        pairs = zip(videos, videos[1:] + videos[:1], strict=True)
        overlaps = 100 * np.array([follow(segmenter, video, other, options) for video, other in pairs])
        seen = [part[~np.isnan(part)] for part in np.array_split(overlaps, 10, axis=1)]
        tenths = [part.mean() if len(part) else float("nan") for part in seen]
        print(f"{rule:8} " + " ".join(f"{x:8.1f}" for x in [*tenths, np.nanmean(overlaps)]), flush=True)


if __name__ == "__main__":
    main()
