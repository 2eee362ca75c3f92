"""Faster versions of the network's blocks with the same results, for inference on CPUs in float32 or bfloat16.

They work in place, on channels_last maps, with Winograd convolutions where these are used. `FASTER` says which block
replaces which.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, Bottleneck

from livos.acceleration.winograd import WinogradConv2d
from livos.model.layers import ChannelAttentionBlock, FeatureFuser, GatedUpdate
from livos.model.mask_decoder import SensoryUpdater, UpBlock
from livos.model.mask_encoder import MaskEncoder


def faster(module: nn.Module) -> nn.Module | None:
    """Returns the faster version of this block, around the same layers and weights; None if there is none.

    The given block is not changed.
    """
    kind = FASTER.get(type(module))
    if kind is None:
        return None
    block = kind.__new__(kind)
    vars(block).update({name: copy.copy(x) if isinstance(x, dict) else x for name, x in vars(module).items()})
    return block


def as_channels_last(x: Tensor) -> Tensor:
    """The same (B, C, H, W), channels_last, with strides that say so even where an axis has length 1.

    Otherwise PyTorch mistakes the ambiguous strides for the other layout, and copies back and forth.
    """
    x = x.contiguous(memory_format=torch.channels_last)
    _, channels, height, width = x.shape
    return x.as_strided(x.shape, (channels * height * width, 1, width * channels, channels))


def _as_images(x: Tensor) -> Tensor:
    """(B, N, C, H, W) -> (B N, C, H, W), channels_last."""
    return as_channels_last(x.flatten(0, 1))


def _of_relu(conv: nn.Module, x: Tensor) -> Tensor:
    return conv(x, relu=True) if isinstance(conv, WinogradConv2d) else conv(F.relu(x))


class FastChannelAttentionBlock(ChannelAttentionBlock):
    def forward(self, x: Tensor) -> Tensor:
        branch = _of_relu(self.conv2, _of_relu(self.conv1, x))
        scale = self.conv(branch.mean(dim=(2, 3)).unsqueeze(1)).squeeze(1).sigmoid()
        return branch.mul_(scale[:, :, None, None]).add_(x)


class FastBasicBlock(BasicBlock):
    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return _of_relu(self.conv2, self.conv1(x)).add_(shortcut).relu_()


class FastBottleneck(Bottleneck):
    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.conv3(_of_relu(self.conv2, self.conv1(x)).relu_()).add_(shortcut).relu_()


class FastFeatureFuser(FeatureFuser):
    def forward(self, image_feature: Tensor, object_features: Tensor) -> Tensor:
        merged = self.y_transform(_as_images(object_features))
        merged.unflatten(0, object_features.shape[:2]).add_(self.x_transform(image_feature).unsqueeze(1))
        return self.layer2(self.layer1(merged)).unflatten(0, object_features.shape[:2])


class FastMaskEncoder(MaskEncoder):
    def after_first_convolution(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        f4 = self.layer1(self.maxpool(as_channels_last(x)).relu_())  # max pooling and ReLU commute
        f8 = self.layer2(f4)
        return f4, f8, self.layer3(f8)


class FastGatedUpdate(GatedUpdate):
    def forward(self, features: Tensor, sensory: Tensor) -> Tensor:
        inputs, dim = (_as_images(features), _as_images(sensory)), sensory.shape[2]
        winograd = isinstance(self.transform, WinogradConv2d)
        gates = self.transform(*inputs) if winograd else self.transform(torch.cat(inputs, dim=1))
        gates = gates.float()  # the sensory memory stays float32
        gates[:, : 2 * dim].sigmoid_()
        forget, update, new = gates.split(dim, dim=1)
        kept = forget.mul_(inputs[1])
        kept.addcmul_(kept, update, value=-1)
        return torch.addcmul(kept, update, new.tanh_()).unflatten(0, sensory.shape[:2])


class FastSensoryUpdater(SensoryUpdater):
    forward = FastGatedUpdate.forward

    def from_pyramid(self, p16: Tensor, p8: Tensor, p4: Tensor, logits: Tensor, sensory: Tensor) -> Tensor:
        p8, p4 = F.avg_pool2d(_as_images(p8), 2), F.avg_pool2d(_as_images(p4), 4)
        p4 = torch.cat([p4, F.avg_pool2d(logits, 4).flatten(0, 1).unsqueeze(1)], dim=1)
        features = self.g16_conv(_as_images(p16)).add_(self.g8_conv(p8)).add_(self.g4_conv(p4))
        return self(features.unflatten(0, sensory.shape[:2]), sensory)


class FastUpBlock(UpBlock):
    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        objects = x.shape[:2]
        x = F.interpolate(_as_images(x), scale_factor=2, mode="bilinear", align_corners=False)
        x.unflatten(0, objects).add_(skip.unsqueeze(1))
        y = torch.ops.aten.gelu_(self.conv2(torch.ops.aten.gelu_(self.conv1(x))))
        return y.add_(self.linear_proj(x)).unflatten(0, objects)


FASTER: dict[type[nn.Module], type[nn.Module]] = {
    BasicBlock: FastBasicBlock,
    Bottleneck: FastBottleneck,
    ChannelAttentionBlock: FastChannelAttentionBlock,
    FeatureFuser: FastFeatureFuser,
    GatedUpdate: FastGatedUpdate,
    MaskEncoder: FastMaskEncoder,
    SensoryUpdater: FastSensoryUpdater,
    UpBlock: FastUpBlock,
}
