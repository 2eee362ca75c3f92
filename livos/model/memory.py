"""The gated linear memory (LiVOS, section 3.2): constant in size, whatever the number of frames.

A network with attention over all past frames would have to keep them key by key. Here they are summed into one K x V
matrix per object. A gate in (0, 1) lets every value channel decay as the scene changes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class LinearMemory:
    """The memory of B clips. Every method returns a new memory; none changes this one.

    Everything is float32 whatever the precision of the rest. Where the network needs a sum over frames, the mean and
    the number of frames are kept, because a growing sum would lose precision.
    """

    state: Tensor  # (B, N, K, V): gated sum of key (outer) value
    mean_keys: Tensor  # (B, N, K, h, w): mean of the keys of all frames since an object appeared
    num_frames: Tensor  # (B, N): how many frames those were
    spans: Tensor  # (B, N, V): how many frames the normaliser counts; num_frames, as published, or fewer

    @classmethod
    def empty(cls, key: Tensor, value_dim: int) -> "LinearMemory":
        """A memory without objects, for frames whose keys have the shape of `key` (B, K, h, w)."""
        batch, key_dim = key.shape[:2]
        return cls(
            state=key.new_zeros(batch, 0, key_dim, value_dim, dtype=torch.float32),
            mean_keys=key.new_zeros(batch, 0, *key.shape[1:], dtype=torch.float32),
            num_frames=key.new_zeros(batch, 0, dtype=torch.float32),
            spans=key.new_zeros(batch, 0, value_dim, dtype=torch.float32),
        )

    @property
    def key_sums(self) -> Tensor:
        """(B, N, K, h, w): sum of the keys of all frames since each object appeared."""
        return self.mean_keys * self.num_frames[:, :, None, None, None]

    def with_new_objects(self, count: int) -> "LinearMemory":
        """Appends `count` objects that have no past: zero state, and a mean of keys that starts now."""
        return LinearMemory(**{name: append_zeros(x, count) for name, x in vars(self).items()})

    def select(self, slots: list[int]) -> "LinearMemory":
        """Only the objects in these slots, in this order."""
        return LinearMemory(**{name: x[:, slots] for name, x in vars(self).items()})

    def to(self, device: torch.device) -> "LinearMemory":
        """The same memory on a device."""
        return LinearMemory(**{name: x.to(device) for name, x in vars(self).items()})

    def read(self, key: Tensor) -> Tensor:
        """What the past says about every cell: key (B, K, h, w) -> (B, N, V, h, w), float32.

        The normaliser is summed over the key's channels and cells, as the released weights expect it. Where it counts
        all frames, it grows with time while the gated state does not, so the readout fades on long videos.
        """
        with torch.autocast(key.device.type, enabled=False):
            key = key.float()
            normaliser = torch.einsum("bkhw,bnkhw->bn", key, self.mean_keys)[:, :, None] * self.spans
            normaliser = normaliser.clamp(min=1e-6)  # 0 if nothing was written
            return torch.einsum("bnkv,bkhw->bnvhw", self.state / normaliser[:, :, None], key)

    def write(self, key: Tensor, value: Tensor, gate: Tensor, cap: int | None = None) -> "LinearMemory":
        """Multiplies the state by the gate (B, V), then adds key (B, K, h, w) (outer) value (B, N, V, h, w).

        cap: After so many frames the normaliser grows only as the state does. None: with every frame, as published.
        """
        key, value, gate = key.float(), value.float(), gate.float()
        with torch.autocast(key.device.type, enabled=False):
            added = torch.einsum("bkhw,bnvhw->bnkv", key, value)
        num_frames = self.num_frames + 1
        return LinearMemory(
            state=torch.addcmul(added, self.state, gate[:, None, None, :]),
            mean_keys=mean_with(self.mean_keys, key.unsqueeze(1), num_frames),
            num_frames=num_frames,
            spans=num_frames[:, :, None].expand_as(self.spans) if cap is None else self._capped(num_frames, gate, cap),
        )

    def _capped(self, num_frames: Tensor, gate: Tensor, cap: int) -> Tensor:
        """(B, N, V): `num_frames` up to the cap, and then what a gated sum gives.

        Had a channel's gate g always been this one, its state would be a sum with weights 1 + g + g^2 + ... over all
        frames, and over `cap` frames at the cap. In that ratio the span grows: not at all where g is small, and with
        every frame where g is 1.
        """
        at_cap = (gate[:, :, None] ** torch.arange(cap, device=gate.device)).sum(dim=2)
        later = gate[:, None] * self.spans + (cap / at_cap)[:, None]
        num_frames = num_frames[:, :, None]
        return torch.where(num_frames <= cap, num_frames, later)


def mean_with(mean: Tensor, new: Tensor, count: Tensor) -> Tensor:
    """Updates a mean over frames with the newest frame, the `count`-th: (B, N, ...) and count (B, N)."""
    return mean + (new - mean) / count[(...,) + (None,) * (mean.ndim - 2)]


def append_zeros(x: Tensor, count: int) -> Tensor:
    """(B, N, ...) -> (B, N + count, ...): room for objects without a past."""
    return F.pad(x, [0, 0] * (x.ndim - 2) + [0, count])
