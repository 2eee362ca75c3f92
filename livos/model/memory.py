"""The gated linear memory (LiVOS, section 3.2): constant in size, whatever the number of frames.

What a network with attention over all past frames would keep, key by key, is here summed into one K x V matrix an
object. A gate in (0, 1) lets every value channel fade as the scene moves on.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class LinearMemory:
    """What is remembered of B clips. Every method returns a new memory; none changes this one.

    Sums and products are float32 whatever the precision of the rest: they grow with the number of frames.
    """

    state: Tensor  # (B, N, K, V), float32: gated sum of key (outer) value
    key_sums: Tensor  # (B, G, K, h, w), float32: plain sum of the keys since a group of objects appeared
    groups: tuple[int, ...]  # for each of the N objects, which of the G sums is its own

    @classmethod
    def empty(cls, key: Tensor, value_dim: int) -> "LinearMemory":
        """A memory without objects for frames whose keys are like `key` (B, K, h, w)."""
        batch, key_dim = key.shape[:2]
        return cls(
            state=key.new_zeros(batch, 0, key_dim, value_dim, dtype=torch.float32),
            key_sums=key.new_zeros(batch, 0, *key.shape[1:], dtype=torch.float32),
            groups=(),
        )

    def with_new_objects(self, count: int) -> "LinearMemory":
        """Appends `count` objects that have no past: zero state, and a sum of keys that starts now."""
        batch, _, key_dim, value_dim = self.state.shape
        sums = self.key_sums
        return LinearMemory(
            state=torch.cat([self.state, self.state.new_zeros(batch, count, key_dim, value_dim)], dim=1),
            key_sums=torch.cat([sums, sums.new_zeros(batch, 1, *sums.shape[2:])], dim=1),
            groups=self.groups + (sums.shape[1],) * count,
        )

    def select(self, slots: list[int]) -> "LinearMemory":
        """Only the objects in these slots, in this order."""
        kept = sorted({self.groups[slot] for slot in slots})
        return LinearMemory(
            state=self.state[:, slots],
            key_sums=self.key_sums[:, kept],
            groups=tuple(kept.index(self.groups[slot]) for slot in slots),
        )

    def to(self, device: torch.device) -> "LinearMemory":
        """The same memory on a device."""
        return replace(self, state=self.state.to(device), key_sums=self.key_sums.to(device))

    def read(self, key: Tensor) -> Tensor:
        """What the past says of every cell: key (B, K, h, w) -> (B, N, V, h, w), float32.

        The normaliser is one number per frame, summed over channels and cells, as the released weights know it. It
        grows with time while the gated state does not: the readout fades on long videos.
        """
        with torch.autocast(key.device.type, enabled=False):
            key = key.float()
            normaliser = torch.einsum("bkhw,bgkhw->bg", key, self.key_sums).clamp(min=1e-6)  # 0 if nothing was written
            if self.key_sums.shape[1] > 1:
                normaliser = torch.stack([normaliser[:, group] for group in self.groups], dim=1)
            return torch.einsum("bnkv,bkhw->bnvhw", self.state / normaliser[:, :, None, None], key)

    def write(self, key: Tensor, value: Tensor, gate: Tensor) -> "LinearMemory":
        """Lets the state fade by gate (B, V), then adds key (B, K, h, w) (outer) value (B, N, V, h, w)."""
        key, value = key.float(), value.float()
        with torch.autocast(key.device.type, enabled=False):
            added = torch.einsum("bkhw,bnvhw->bnkv", key, value)
        return replace(
            self,
            state=torch.addcmul(added, self.state, gate.float()[:, None, None, :]),
            key_sums=self.key_sums + key.unsqueeze(1),
        )
