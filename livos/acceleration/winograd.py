"""3x3 convolutions with a quarter of the multiplications, for CPUs.

Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, CVPR 2016): each 4x4 tile of the output comes from a 6x6
patch of the input. Patch and filter are transformed by small matrices, multiplied element by element (summed over
channels, that is 36 matrix products), and transformed back: 36 multiplications instead of 144. The usual points
0, 1, -1, 2, -2 lose precision; with 0, +-sqrt(1/2), +-sqrt(2) the error is about that of a direct float32 convolution.

Letters in addition to the project's: I input and O output channels, P patches of a strip.
"""

import numpy as np
import torch
from torch import Tensor, nn

_TILE = 4  # side of an output tile
_PATCH = 6  # side of the input patch that it needs
_POINTS = (0.0, 0.5**0.5, -(0.5**0.5), 2**0.5, -(2**0.5))  # and infinity
_STRIP = 128  # patches transformed at a time: their data fits into the cache, and the products stay large


class WinogradConv2d(nn.Module):
    """Computes a 3x3 convolution with stride 1 and padding 1: inputs (B, I, H, W) -> (B, O, H, W).

    Several inputs are treated as one, concatenated along the channels. The result is channels_last. It is meant for
    inference on CPU in float32: there is no gradient. Raises ValueError for any other kind of convolution.
    """

    weight: Tensor
    output_matrix: Tensor
    input_matrix: Tensor
    bias: Tensor | None

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        if not is_plain_3x3(conv):
            raise ValueError(f"{conv}: expected a 3x3 convolution with stride 1, zero padding 1 and one group")
        output, filters, patches = (torch.from_numpy(m) for m in _matrices())
        self.register_buffer("output_matrix", torch.kron(output, output).float())  # (16, 36)
        self.register_buffer("input_matrix", torch.kron(patches, patches).float())  # (36, 36)
        weight = torch.einsum("ai,bj,ocij->abco", filters, filters, conv.weight.detach().double().cpu())
        self.register_buffer("weight", weight.flatten(0, 1).float())  # (36, I, O)
        self.register_buffer("bias", None if conv.bias is None else conv.bias.detach())

    def forward(self, *inputs: Tensor, relu: bool = False) -> Tensor:
        """`relu`: apply a ReLU to the inputs first, which costs nothing here."""
        maps = [x.permute(0, 2, 3, 1) for x in inputs]  # (B, H, W, I)
        batch, height, width, _ = maps[0].shape
        rows, columns = -(-height // _TILE), -(-width // _TILE)
        result = maps[0].new_empty(batch, height, width, self.weight.shape[2])
        images = max(1, _STRIP // (rows * columns))
        strip = min(rows, max(1, _STRIP // columns))
        for first in range(0, batch, images):
            some = slice(first, first + images)
            for row in range(0, rows, strip):
                padded = self._pad([x[some] for x in maps], row * _TILE, min(strip, rows - row) * _TILE, columns)
                if relu:
                    padded.relu_()
                _write_tiles(self._convolve(padded), self.bias, result[some, row * _TILE : (row + strip) * _TILE])
        return result.permute(0, 3, 1, 2)

    def _pad(self, maps: list[Tensor], top: int, height: int, columns: int) -> Tensor:
        """Rows `top` to `top + height` of the inputs, surrounded by zeros or neighbours: (B, height + 2, W', I)."""
        batch, bottom, width, _ = maps[0].shape
        padded = maps[0].new_empty(batch, height + 2, columns * _TILE + 2, self.weight.shape[1])
        first, last = max(top - 1, 0), min(top + height + 1, bottom)  # rows of the inputs
        start, stop = first - top + 1, last - top + 1  # where they go
        padded[:, :start] = 0
        padded[:, stop:] = 0
        padded[:, start:stop, 0] = 0
        padded[:, start:stop, width + 1 :] = 0
        inside = padded[:, start:stop, 1 : width + 1]
        for x, part in zip(maps, inside.split([x.shape[3] for x in maps], dim=3), strict=True):
            part.copy_(x[:, first:last])
        return padded

    def _convolve(self, padded: Tensor) -> Tensor:
        """(B, 4 h + 2, 4 w + 2, I) -> output tiles (4, 4, B, h, w, O)."""
        batch, rows, columns = padded.shape[0], padded.shape[1] // _TILE, padded.shape[2] // _TILE
        per_image, per_row, per_cell, _ = padded.stride()
        patches = padded.as_strided(
            (_PATCH, _PATCH, batch, rows, columns, padded.shape[3]),
            (per_row, per_cell, per_image, _TILE * per_row, _TILE * per_cell, 1),
        )
        patches = torch.mm(self.input_matrix, patches.reshape(_PATCH**2, -1))  # (36, P I)
        products = torch.bmm(patches.unflatten(1, (-1, padded.shape[3])), self.weight)  # (36, P, O)
        tiles = torch.mm(self.output_matrix, products.flatten(1))  # (16, P O)
        return tiles.view(_TILE, _TILE, batch, rows, columns, -1)


def is_plain_3x3(conv: nn.Module) -> bool:
    """Whether Winograd filtering can replace this layer."""
    return (
        type(conv) is nn.Conv2d  # subclasses may do something else
        and conv.kernel_size == (3, 3)
        and conv.stride == (1, 1)
        and conv.padding == (1, 1)
        and conv.dilation == (1, 1)
        and conv.groups == 1
        and conv.padding_mode == "zeros"
    )


def _write_tiles(tiles: Tensor, bias: Tensor | None, target: Tensor) -> None:
    """Writes (4, 4, B, h, w, O), plus the bias, to their places in (B, H, W, O), cropping what sticks out."""
    height, width = target.shape[1:3]
    for y, rows in _whole_and_rest(height):
        for x, columns in _whole_and_rest(width):
            place = target[:, y * _TILE : (y + rows) * _TILE, x * _TILE : (x + columns) * _TILE]
            size_y, size_x = place.shape[1] // rows, place.shape[2] // columns
            place = place.unflatten(2, (columns, size_x)).unflatten(1, (rows, size_y))  # (B, h, 4, w, 4, O)
            part = tiles[:size_y, :size_x, :, y : y + rows, x : x + columns].permute(2, 3, 0, 4, 1, 5)
            if bias is None:
                place.copy_(part)
            else:
                torch.add(part, bias, out=place)


def _whole_and_rest(length: int) -> list[tuple[int, int]]:
    """First tile and number of tiles: first for those that fit into a length, then for the one that sticks out."""
    whole = length // _TILE
    spans = [(0, whole), (whole, 1 if length % _TILE else 0)]
    return [span for span in spans if span[1]]


def _matrices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The transforms of outputs (4, 6), filters (6, 3) and patches (6, 6) by the Toom-Cook algorithm, float64."""
    points = np.array(_POINTS)
    output, filters, patches = np.zeros((_TILE, _PATCH)), np.zeros((_PATCH, 3)), np.zeros((_PATCH, _PATCH))
    for i, point in enumerate(points):
        rest = np.delete(points, i)
        output[:, i] = point ** np.arange(_TILE)
        filters[i] = point ** np.arange(3) / np.prod(point - rest)
        patches[i, :-1] = np.poly(rest)[::-1]
    output[-1, -1] = filters[-1, -1] = 1  # the point at infinity
    patches[-1] = np.poly(points)[::-1]
    return output, filters, patches
