"""Degrades clips like poor cameras and encoders do: motion blur, darkness and noise, strong compression."""

from dataclasses import replace

import cv2
import numpy as np

from livos.config.schema import DegradationConfig
from livos.training.data.augmentation import between
from livos.training.data.clips import Clip, smear_kernel
from livos.training.data.sampling import happens


def degraded(clip: Clip, settings: DegradationConfig, generator: np.random.Generator) -> Clip:
    """The clip with random degradations according to the settings; labels do not change."""
    images = clip.images
    if happens(settings.blur_probability, generator):
        images = _blurred(images, settings, generator)
    if happens(settings.dark_probability, generator):
        images = _dark(images, settings, generator)
    if happens(settings.jpeg_probability, generator):
        images = _compressed(images, settings, generator)
    return clip if images is clip.images else replace(clip, images=images)


def _blurred(images: np.ndarray, settings: DegradationConfig, generator: np.random.Generator) -> np.ndarray:
    angle = generator.uniform(0, 2 * np.pi)
    shortest, longest = settings.blur
    lengths = images.shape[1] * generator.uniform(shortest, longest, len(images))
    direction = np.array([np.cos(angle), np.sin(angle)])
    smeared = [
        cv2.filter2D(image, -1, smear_kernel(length * direction)) for image, length in zip(images, lengths, strict=True)
    ]
    return np.stack(smeared)


def _dark(images: np.ndarray, settings: DegradationConfig, generator: np.random.Generator) -> np.ndarray:
    """Darkens by one factor, then adds noise like a sensor in poor light, independent in every pixel and channel."""
    factor, noise = between(settings.darkness, generator), 255 * between(settings.noise, generator)
    grain = generator.standard_normal(images.shape, dtype=np.float32)
    return (images * np.float32(factor) + np.float32(noise) * grain).clip(0, 255).astype(np.uint8)


def _compressed(images: np.ndarray, settings: DegradationConfig, generator: np.random.Generator) -> np.ndarray:
    low, high = settings.jpeg_quality
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(low, high + 1))]
    compressed = np.empty_like(images)
    for image, result in zip(images, compressed, strict=True):
        result[:] = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR)
    return compressed
