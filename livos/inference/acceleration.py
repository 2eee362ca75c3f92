"""A network made ready for inference."""

import torch

from livos.model.network import LiVOS


def accelerate(network: LiVOS, device: torch.device, precision: str) -> LiVOS:
    """The network on the device, in evaluation mode."""
    return network.to(device).eval()
