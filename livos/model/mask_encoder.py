"""From a mask on an image to what is remembered of the object: its value, and its deep sensory update."""

import torch
from torch import Tensor
from torch.nn import functional as F

from livos.model.backbones import ResNet
from livos.model.config import ModelConfig
from livos.model.layers import FeatureFuser, GatedUpdate, per_object


class MaskEncoder(ResNet):
    """A ResNet over the image, the object's mask and all other objects' masks (5 channels), fused with the image.

    It inherits from ResNet rather than containing one, because the released checkpoints name its layers that way.
    """

    def __init__(self, config: ModelConfig, pretrained: bool = False):
        super().__init__(config.mask_encoder, pretrained, in_channels=5, width=config.mask_encoder_width)
        self.fuser = FeatureFuser(config.value_dim, self.channels[-1], config.value_dim)
        self.sensory_updater = GatedUpdate(config.value_dim, config.sensory_kernel)

    def image_part(self, image: Tensor) -> Tensor:
        """The image's share of the first convolution, the same for all objects: (B, 3, H, W) -> (B, C, H/2, W/2)."""
        return F.conv2d(image, self.conv1.weight[:, :3], stride=self.conv1.stride, padding=self.conv1.padding)

    def value(self, image_part: Tensor, pixel_feature: Tensor, masks: Tensor, other_masks: Tensor) -> Tensor:
        """`image_part`, pixel feature (B, V, h, w), masks and the others' (B, N, H, W) -> value (B, N, V, h, w)."""
        mask_part = F.conv2d(
            torch.stack([masks, other_masks], dim=2).flatten(0, 1).to(image_part.dtype),
            self.conv1.weight[:, 3:],
            self.conv1.bias,
            stride=self.conv1.stride,
            padding=self.conv1.padding,
        )
        first = mask_part.unflatten(0, masks.shape[:2]).add_(image_part.unsqueeze(1))  # in place: no map is larger
        f16 = per_object(lambda x: self.after_first_convolution(x)[-1], first)
        return self.fuser(pixel_feature, f16)
