"""Prepares a network for inference: the same results, faster.

On every device, batch normalisation is folded into the convolutions before it. Half precision on CUDA gets
channels_last, which suits tensor cores. In float32 on the CPU there is more to gain, by avoiding arithmetic and memory
traffic: maps are channels_last, 3x3 convolutions use Winograd filtering, and blocks compute in place. In bfloat16, on
CPUs that multiply it, maps and blocks are the same, and the weights of convolutions are kept in bfloat16, so that they
need not be converted for each frame.
"""

import copy

import torch
from torch import nn

from livos.acceleration.blocks import as_channels_last, faster
from livos.acceleration.folding import fold_batch_norms, replace_module
from livos.acceleration.winograd import WinogradConv2d, is_plain_3x3
from livos.model.network import LiVOS

_MIN_CHANNELS = 64  # in and out: with fewer, the transforms of Winograd filtering cost what the products save


def accelerate(network: LiVOS, device: torch.device, precision: str, compiled: bool = False) -> LiVOS:
    """Returns the network on the device, for inference only. The given one is not changed.

    compiled: let torch.compile build the parts when they are first used, instead of the replacements for the CPU.

    Weights that need no change are shared with the given network: after training it further, accelerate it again. The
    choices depend only on the arguments and the shapes of the weights, never on timing, so results are reproducible.
    """
    network = without_batch_norms(network).to(device)
    if compiled:
        network.compile_parts()
    elif device.type == "cpu" and precision in ("float32", "tf32"):
        _prefer_channels_last(network)
        _use_winograd(network)
        _use_faster_blocks(network)
    elif device.type == "cpu" and precision == "bfloat16" and multiplies_bfloat16():
        _prefer_channels_last(network)
        _convert_convolutions(network, torch.bfloat16)
        _use_faster_blocks(network)
    if device.type == "cuda" and precision in ("bfloat16", "float16"):
        _prefer_channels_last(network)
    return network


def multiplies_bfloat16() -> bool:
    """Whether this CPU has instructions for products in bfloat16 (AVX-512 BF16; all with AMX have these too).

    PyTorch before 2.5 does not say, which counts as no.
    """
    return getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()


def without_batch_norms(network: LiVOS) -> LiVOS:
    """A copy for inference, with batch normalisation folded into convolutions. Unchanged weights are shared."""
    network = _copy_sharing_weights(network).eval()
    fold_batch_norms(network.image_encoder, 3)
    fold_batch_norms(network.mask_encoder, 5)
    return network


def _copy_sharing_weights(network: LiVOS) -> LiVOS:
    """New modules around the same memory; moving or replacing a weight of the copy does not affect the original."""
    weights = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in network.parameters()}
    buffers = {id(b): b.detach() for b in network.buffers()}
    return copy.deepcopy(network, {**weights, **buffers})


def _prefer_channels_last(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight = nn.Parameter(as_channels_last(module.weight.detach()), requires_grad=False)


def _convert_convolutions(network: nn.Module, dtype: torch.dtype) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            for name, weight in list(module.named_parameters(recurse=False)):
                setattr(module, name, nn.Parameter(weight.detach().to(dtype), requires_grad=False))


def _use_winograd(network: nn.Module) -> None:
    for name, module in list(network.named_modules()):
        if is_plain_3x3(module) and min(module.in_channels, module.out_channels) >= _MIN_CHANNELS:
            replace_module(network, name, WinogradConv2d(module))


def _use_faster_blocks(network: nn.Module) -> None:
    for name, module in list(network.named_modules()):
        block = faster(module)
        if block is not None:
            replace_module(network, name, block)
