"""From the refined readout to a mask at a quarter of the image's size, and the sensory update that comes with it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from livos.model.config import ModelConfig
from livos.model.layers import GatedUpdate, per_object


class UpBlock(nn.Module):
    """Doubles the resolution with the help of the image: (B, N, C, H, W) and skip (B, C, 2H, 2W)."""

    def __init__(self, in_dim: int, out_dim: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_dim, out_dim, 3, padding=1)
        self.conv2 = nn.Conv2d(out_dim, out_dim, 3, padding=1)
        self.linear_proj = nn.Conv2d(in_dim, out_dim, 1) if in_dim != out_dim else nn.Identity()

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = per_object(lambda t: F.interpolate(t, scale_factor=2, mode="bilinear", align_corners=False), x)
        return per_object(self._convolve, x + skip.unsqueeze(1))

    def _convolve(self, x: Tensor) -> Tensor:
        return self.linear_proj(x) + F.gelu(self.conv2(F.gelu(self.conv1(x))))


class SensoryUpdater(GatedUpdate):
    """Updates the sensory memory from the decoder's features at strides 16, 8 and 4."""

    def __init__(self, dims: list[int], dim: int, kernel: int):
        super().__init__(dim, kernel)
        self.g16_conv = nn.Conv2d(dims[0], dim, 1)
        self.g8_conv = nn.Conv2d(dims[1], dim, 1)
        self.g4_conv = nn.Conv2d(dims[2] + 1, dim, 1)

    def from_pyramid(self, p16: Tensor, p8: Tensor, p4: Tensor, logits: Tensor, sensory: Tensor) -> Tensor:
        """p16, p8, p4 (B, N, C, ...), logits (B, N, H/4, W/4), sensory (B, N, V, h, w) -> sensory (B, N, V, h, w)."""
        p8 = per_object(lambda x: F.avg_pool2d(x, 2), p8)
        p4 = per_object(lambda x: F.avg_pool2d(x, 4), torch.cat([p4, logits.unsqueeze(2)], dim=2))
        features = per_object(self.g16_conv, p16) + per_object(self.g8_conv, p8) + per_object(self.g4_conv, p4)
        return self(features, sensory)


class MaskDecoder(nn.Module):
    """Refined readout (B, N, V, h, w) -> one logit per object (B, N, H/4, W/4), and the new sensory memory."""

    def __init__(self, config: ModelConfig, image_channels: tuple[int, ...]):
        super().__init__()
        d16, d8, d4 = config.decoder_dims
        if d16 != config.value_dim:
            raise ValueError(f"decoder_dims starts with {d16}: expected value_dim={config.value_dim}")
        self.linear_proj_f8 = nn.Conv2d(image_channels[1], d16, 1)
        self.linear_proj_f4 = nn.Conv2d(image_channels[0], d8, 1)
        self.upsample_16_to_8 = UpBlock(d16, d8)
        self.upsample_8_to_4 = UpBlock(d8, d4)
        self.pred = nn.Conv2d(d4, 1, 1)
        self.sensory_updater = SensoryUpdater(config.decoder_dims, config.value_dim, config.sensory_kernel)

    def skips(self, f8: Tensor, f4: Tensor) -> tuple[Tensor, Tensor]:
        """The image's part of the decoding, the same for all objects."""
        return self.linear_proj_f8(f8), self.linear_proj_f4(f4)

    def forward(self, readout: Tensor, sensory: Tensor, skip8: Tensor, skip4: Tensor) -> tuple[Tensor, Tensor]:
        p8 = self.upsample_16_to_8(readout, skip8)
        p4 = self.upsample_8_to_4(p8, skip4)
        logits = per_object(self.pred, p4).squeeze(2)
        return logits, self.sensory_updater.from_pyramid(readout, p8, p4, logits, sensory)
