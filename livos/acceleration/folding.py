"""Batch normalisation after a convolution, folded into its weights."""

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norms(backbone: nn.Module, in_channels: int) -> None:
    """Folds every normalisation that directly follows a convolution into it, in place."""
    for conv_name, norm_name in _convolutions_before_norms(backbone, in_channels).items():
        conv, norm = backbone.get_submodule(conv_name), backbone.get_submodule(norm_name)
        assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
        replace_module(backbone, conv_name, fuse_conv_bn_eval(conv, norm))
        replace_module(
            backbone, norm_name, getattr(norm, "act", nn.Identity())
        )  # timm's norms include their activation


def _convolutions_before_norms(backbone: nn.Module, in_channels: int) -> dict[str, str]:
    """Names of convolutions and of the normalisations that take their unmodified results, found by running it once."""
    made: dict[int, tuple[str, Tensor, int]] = {}  # results by id; kept alive, so that no id is reused
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


def replace_module(network: nn.Module, name: str, module: nn.Module) -> None:
    """Replaces the module that has this dotted name."""
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module)
