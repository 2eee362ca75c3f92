"""Fit the confidence of masks to videos with known true masks, and check on other videos how good it is.

    python scripts/fit_confidence.py --weights weights/livos-lite.safetensors --fit ./made_of_training_videos \\
        --check ./made_of_other_videos ./other_videos --output my-weights.safetensors

Each folder contains JPEGImages/<video>/ and Annotations/<video>/ with a mask for every frame, like those made by
`benchmarks/stress.py --write`. The network gets the first mask and segments the rest at the short side that suits its
weights; the J of each object and frame is fitted. For the held-out videos (--check), the program prints how well frames
with J < 0.5 are distinguished from the others (area under the ROC, 0.5 is chance and 1 perfect) by the fit and by plain
probabilities, and J by bins of confidence. The coefficients are written into the metadata of --output, a copy of the
weights.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from livos import VideoSegmenter, save_weights
from livos.checkpoints import CONFIDENCE_KEY, best_short_side
from livos.files.images import IMAGE_SUFFIXES, read_image
from livos.files.names import files_by_stem
from livos.loading import find_weights, load_model
from livos.masks.label_maps import read_labels
from livos.model.network import LiVOS
from livos.segmenter.confidence import FEATURES, PLAIN, ConfidenceModel

FAILED = 0.5  # a mask with a lower J should be detected
_SHRINKAGE = 1e-3  # of the coefficients of standardised features


@dataclass(frozen=True)
class Observations:
    """Objects on frames: what the confidence is computed from, and its target."""

    features: Tensor  # (M, F)
    overlaps: Tensor  # (M,) J in [0, 1]

    @classmethod
    def joined(cls, parts: Sequence["Observations"]) -> "Observations":
        return cls(torch.cat([part.features for part in parts]), torch.cat([part.overlaps for part in parts]))


def observe_folder(network: LiVOS, short_side: int, folder: Path, max_frames: int) -> list[Observations]:
    """One entry for each video. Raises ValueError or OSError if frames or masks are missing."""
    videos = sorted(path.name for path in (folder / "JPEGImages").iterdir() if path.is_dir())
    if not videos:
        raise ValueError(f"{folder / 'JPEGImages'}: expected folders of frames, found none")
    segmenter = VideoSegmenter(network, size=short_side)
    found = []
    for video in videos:
        frames, _ = files_by_stem(folder / "JPEGImages" / video, IMAGE_SUFFIXES)
        masks, _ = files_by_stem(folder / "Annotations" / video, (".png",))
        stems = list(frames)[:max_frames]
        if missing := [stem for stem in stems if stem not in masks]:
            raise ValueError(f"{folder / 'Annotations' / video}: no mask of frame {missing[0]}")
        found.append(observe_video(segmenter, [(frames[stem], masks[stem]) for stem in stems]))
        print(f"{video}: {len(stems)} frames, mean J {100 * found[-1].overlaps.mean():.1f}", flush=True)
    return found


def observe_video(segmenter: VideoSegmenter, files: Sequence[tuple[Path, Path]]) -> Observations:
    """The objects of the first mask on all later frames."""
    features: list[Tensor] = []
    overlaps: list[Tensor] = []

    def note(of_frame: Tensor) -> Tensor:
        features.append(of_frame)
        return PLAIN(of_frame)

    segmenter.reset()
    segmenter.confidence_model = note
    for t, (image, mask) in enumerate(files):
        truth = read_labels(mask).labels
        result = segmenter.step(read_image(image), truth if t == 0 else None)
        if t > 0:
            overlaps.append(torch.tensor([overlap(result.labels == i, truth == i) for i in result.object_ids]))
    return Observations(torch.cat(features), torch.cat(overlaps).float())


def overlap(predicted: np.ndarray, truth: np.ndarray) -> float:
    """J of two (H, W) bool; 1 where both are empty."""
    union = np.count_nonzero(predicted | truth)
    return np.count_nonzero(predicted & truth) / union if union else 1.0


def fit(observations: Observations) -> ConfidenceModel:
    """The logistic regression with mean J: minimal cross-entropy, slightly regularised, on standardised features."""
    mean, spread = observations.features.mean(dim=0), observations.features.std(dim=0).clamp(min=1e-3)
    features, overlaps = ((observations.features - mean) / spread).double(), observations.overlaps.double()
    slopes = torch.zeros(len(FEATURES), dtype=torch.float64, requires_grad=True)
    constant = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([slopes, constant], max_iter=500, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(features @ slopes + constant, overlaps)
        loss = loss + _SHRINKAGE * slopes.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    per_unit = slopes.detach() / spread
    return ConfidenceModel((*per_unit.tolist(), float(constant.detach() - (per_unit * mean).sum())))


def area_under_roc(scores: Tensor, failed: Tensor) -> float:
    """The chance that a failed mask scores lower than one that is not; equal scores count half. NaN without both."""
    low, high = np.sort(scores[failed].numpy()), scores[~failed].numpy()
    if not len(low) or not len(high):
        return float("nan")
    below = (np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")) / 2
    return float(below.mean() / len(low))


def print_worth(model: ConfidenceModel, observations: Observations) -> None:
    """Prints how good the confidence is on held-out videos."""
    failed, confidence = observations.overlaps < FAILED, model(observations.features)
    print(f"\n{len(failed)} objects on frames, {failed.float().mean():.1%} with J < {FAILED}; area under the ROC:")
    for name in ("inside", "overlap"):
        scores = observations.features[:, FEATURES.index(name)]
        print(f"  plain {name:10} {area_under_roc(scores, failed):.3f}")
    print(f"  confidence       {area_under_roc(confidence, failed):.3f}")
    print(f"mean distance of confidence from J: {(confidence - observations.overlaps).abs().mean():.3f}")
    print("confidence  objects on frames  mean confidence  mean J")
    for low, high in pairwise(np.linspace(0, 1, 11)):
        chosen = (confidence >= low) & (confidence < high + (high == 1))
        if chosen.any():
            means = confidence[chosen].mean(), observations.overlaps[chosen].mean()
            print(f"{low:.1f} to {high:.1f}  {int(chosen.sum()):17}  {means[0]:15.2f}  {means[1]:6.2f}")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--weights", default="lite", help="a name (lite) or a file (default: lite)")
    add("--model", help="network of the file, if its name and content do not reveal it")
    add("--fit", type=Path, nargs="+", required=True, metavar="FOLDER", help="videos to fit to")
    add("--check", type=Path, nargs="+", required=True, metavar="FOLDER", help="held-out videos")
    add("--frames", type=int, default=10_000, help="largest number of frames per video (default: all)")
    add("--output", type=Path, help=".safetensors to write: the weights with the coefficients")
    add("--half", action="store_true", help="write floats as float16")
    options = parser.parse_args(arguments)
    if options.output is not None and options.output.suffix != ".safetensors":
        parser.error(f"--output {options.output}: only .safetensors can store the coefficients")
    return options


def main(arguments: list[str] | None = None) -> None:
    options = parse_arguments(arguments)
    try:
        network = load_model(options.weights, options.model)
        short_side = best_short_side(find_weights(options.weights).path)
        fitted, checked = (
            Observations.joined([o for f in folders for o in observe_folder(network, short_side, f, options.frames)])
            for folders in (options.fit, options.check)
        )
        model = fit(fitted)
        print_worth(model, checked)
        print(f"\n{model.to_text()}")
        if options.output is not None:
            network.notes = {**network.notes, CONFIDENCE_KEY: model.to_text()}
            save_weights(network, options.output, options.half)
    except (ValueError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
