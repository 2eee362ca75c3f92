"""A network made ready for inference: the same results, sooner.

Everywhere, batch normalisation goes into the convolutions before it. Half precision on CUDA gets channels_last, which
tensor cores want. On CPU in float32 there is more to gain, from arithmetic that is left out and memory that is not
touched: maps are channels_last, 3x3 convolutions use Winograd's filtering, and blocks compute in place.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.resnet import BasicBlock, Bottleneck

from livos.acceleration.winograd import WinogradConv2d, is_plain_3x3
from livos.model.layers import ChannelAttentionBlock, FeatureFuser, GatedUpdate
from livos.model.mask_decoder import SensoryUpdater, UpBlock
from livos.model.mask_encoder import MaskEncoder
from livos.model.network import LiVOS

_MIN_CHANNELS = 64  # in and out: with fewer, the transforms of Winograd's filtering cost what the products save


def accelerate(network: LiVOS, device: torch.device, precision: str, compiled: bool = False) -> LiVOS:
    """The network on the device, for inference only. The given one stays as it was.

    compiled: have torch.compile build the parts when they are first used, instead of what is written here for the CPU.

    Weights that need no change are shared with it: after training it further, accelerate it again. What is chosen
    depends on the arguments and the shapes of the weights alone, never on timing, so results are reproducible.
    """
    network = _copy_sharing_weights(network).eval()
    _fold_batch_norms(network.image_encoder, 3)
    _fold_batch_norms(network.mask_encoder, 5)
    network = network.to(device)
    if compiled:
        network.compile_parts()
    elif device.type == "cpu" and precision == "float32":
        _prefer_channels_last(network)
        _use_winograd(network)
        for module in network.modules():
            module.__class__ = _FASTER.get(type(module), type(module))
    if device.type == "cuda" and precision != "float32":
        _prefer_channels_last(network)
    return network


def _copy_sharing_weights(network: LiVOS) -> LiVOS:
    """New modules around the same memory; moving or replacing a weight of the copy leaves the original alone."""
    weights = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in network.parameters()}
    buffers = {id(b): b.detach() for b in network.buffers()}
    return copy.deepcopy(network, {**weights, **buffers})


def _fold_batch_norms(backbone: nn.Module, in_channels: int) -> None:
    """Puts every normalisation that directly follows a convolution into it, in place."""
    for conv_name, norm_name in _convolutions_before_norms(backbone, in_channels).items():
        conv, norm = backbone.get_submodule(conv_name), backbone.get_submodule(norm_name)
        assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
        _replace(backbone, conv_name, fuse_conv_bn_eval(conv, norm))
        _replace(backbone, norm_name, getattr(norm, "act", nn.Identity()))  # timm's norms have their activation inside


def _convolutions_before_norms(backbone: nn.Module, in_channels: int) -> dict[str, str]:
    """Names of convolutions and of the normalisations that take their results, unchanged, found by running it once."""
    made: dict[int, tuple[str, Tensor, int]] = {}  # results by id; kept, so that no id comes twice
    found: dict[str, str] = {}

    def note_result(name: str):
        return lambda module, inputs, result: made.update({id(result): (name, result, result._version)})

    def note_input(name: str):
        def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            conv_name, result, version = made.get(id(inputs[0]), ("", inputs[0], -1))
            if version == result._version:  # no activation was applied in place
                found[conv_name] = name

        return note

    hooks = []
    for name, module in backbone.named_modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(note_result(name)))
        elif isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(note_input(name)))
    device = next(backbone.parameters()).device
    with torch.inference_mode(False), torch.no_grad():
        backbone(torch.zeros(1, in_channels, 64, 64, device=device))
    for hook in hooks:
        hook.remove()
    return found


def _prefer_channels_last(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight = nn.Parameter(_as_channels_last(module.weight.detach()), requires_grad=False)


def _use_winograd(network: nn.Module) -> None:
    for name, module in list(network.named_modules()):
        if is_plain_3x3(module) and min(module.in_channels, module.out_channels) >= _MIN_CHANNELS:
            _replace(network, name, WinogradConv2d(module))


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module)


def _as_channels_last(x: Tensor) -> Tensor:
    """The same (B, C, H, W), channels_last, with strides that say so where an axis has length 1.

    Without that PyTorch takes the ambiguous strides for the other layout, and copies to and fro.
    """
    x = x.contiguous(memory_format=torch.channels_last)
    _, channels, height, width = x.shape
    return x.as_strided(x.shape, (channels * height * width, 1, width * channels, channels))


def _as_images(x: Tensor) -> Tensor:
    """(B, N, C, H, W) -> (B N, C, H, W), channels_last."""
    return _as_channels_last(x.flatten(0, 1))


def _of_relu(conv: nn.Module, x: Tensor) -> Tensor:
    return conv(x, relu=True) if isinstance(conv, WinogradConv2d) else conv(F.relu(x))


class _ChannelAttentionBlock(ChannelAttentionBlock):
    def forward(self, x: Tensor) -> Tensor:
        branch = _of_relu(self.conv2, _of_relu(self.conv1, x))
        scale = self.conv(branch.mean(dim=(2, 3)).unsqueeze(1)).squeeze(1).sigmoid()
        return branch.mul_(scale[:, :, None, None]).add_(x)


class _BasicBlock(BasicBlock):
    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return _of_relu(self.conv2, self.conv1(x)).add_(shortcut).relu_()


class _Bottleneck(Bottleneck):
    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.conv3(_of_relu(self.conv2, self.conv1(x)).relu_()).add_(shortcut).relu_()


class _FeatureFuser(FeatureFuser):
    def forward(self, image_feature: Tensor, object_features: Tensor) -> Tensor:
        merged = self.y_transform(_as_images(object_features))
        merged.unflatten(0, object_features.shape[:2]).add_(self.x_transform(image_feature).unsqueeze(1))
        return self.layer2(self.layer1(merged)).unflatten(0, object_features.shape[:2])


class _MaskEncoder(MaskEncoder):
    def after_first_convolution(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        f4 = self.layer1(self.maxpool(_as_channels_last(x)).relu_())  # the largest is positive, or none is
        f8 = self.layer2(f4)
        return f4, f8, self.layer3(f8)


class _GatedUpdate(GatedUpdate):
    def forward(self, features: Tensor, sensory: Tensor) -> Tensor:
        inputs, dim = (_as_images(features), _as_images(sensory)), sensory.shape[2]
        winograd = isinstance(self.transform, WinogradConv2d)
        gates = self.transform(*inputs) if winograd else self.transform(torch.cat(inputs, dim=1))
        gates[:, : 2 * dim].sigmoid_()
        forget, update, new = gates.split(dim, dim=1)
        kept = forget.mul_(inputs[1])
        kept.addcmul_(kept, update, value=-1)
        return torch.addcmul(kept, update, new.tanh_()).unflatten(0, sensory.shape[:2])


class _SensoryUpdater(SensoryUpdater):
    forward = _GatedUpdate.forward

    def from_pyramid(self, p16: Tensor, p8: Tensor, p4: Tensor, logits: Tensor, sensory: Tensor) -> Tensor:
        p8, p4 = F.avg_pool2d(_as_images(p8), 2), F.avg_pool2d(_as_images(p4), 4)
        p4 = torch.cat([p4, F.avg_pool2d(logits, 4).flatten(0, 1).unsqueeze(1)], dim=1)
        features = self.g16_conv(_as_images(p16)).add_(self.g8_conv(p8)).add_(self.g4_conv(p4))
        return self(features.unflatten(0, sensory.shape[:2]), sensory)


class _UpBlock(UpBlock):
    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        objects = x.shape[:2]
        x = F.interpolate(_as_images(x), scale_factor=2, mode="bilinear", align_corners=False)
        x.unflatten(0, objects).add_(skip.unsqueeze(1))
        y = torch.ops.aten.gelu_(self.conv2(torch.ops.aten.gelu_(self.conv1(x))))
        return y.add_(self.linear_proj(x)).unflatten(0, objects)


_FASTER: dict[type, type] = {
    parent: faster
    for faster in (
        *(_ChannelAttentionBlock, _FeatureFuser, _GatedUpdate),
        *(_BasicBlock, _Bottleneck, _MaskEncoder, _SensoryUpdater, _UpBlock),
    )
    for parent in faster.__bases__
}
