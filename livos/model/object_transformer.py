"""Object transformer: Q queries per object gather information from its pixels and pass it back to them.

As in Cutie (Cheng et al., CVPR 2024, section 3.2), with the peculiarities of the released LiVOS weights: the residual
of an attention is the normalised query, and pixels attend to queries without a norm.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from livos.model.config import ModelConfig
from livos.model.layers import ChannelAttentionBlock, in_object_chunks, per_object
from livos.model.masks import aggregate
from livos.model.positions import PositionEncoding


class Attention(nn.Module):
    """Multi-head attention with nn.MultiheadAttention's parameters, on fused kernels and broadcast masks."""

    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        if dim % num_heads:
            raise ValueError(f"value_dim={dim} cannot be divided among num_heads={num_heads}")
        self.num_heads = num_heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dim, dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dim))
        self.out_proj = nn.Linear(dim, dim)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """(S, Q, C), (S, L, C), (S, L, C) -> (S, Q, C). mask (S, Q, L), True where a query may look."""
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = (
            F.linear(x, weight, bias).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (S, heads, ., C / heads)
            for x, weight, bias in zip((query, key, value), weights, biases, strict=True)
        )
        seen = F.scaled_dot_product_attention(q, k, v, mask if mask is None else mask.unsqueeze(1))
        return self.out_proj(seen.transpose(1, 2).flatten(2))


class CrossAttention(nn.Module):
    """Attention of one set to another, with or without a norm first."""

    def __init__(self, dim: int, num_heads: int, norm: bool):
        super().__init__()
        self.cross_attn = Attention(dim, num_heads)
        self.norm = nn.LayerNorm(dim) if norm else nn.Identity()

    def forward(self, x: Tensor, x_code: Tensor, source: Tensor, source_code: Tensor, mask: Tensor | None = None):
        x = self.norm(x)
        return x + self.cross_attn(x + x_code, source + source_code, source, mask)


class SelfAttention(nn.Module):
    """Attention of the queries of one object to each other."""

    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        self.self_attn = Attention(dim, num_heads)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        x = self.norm(x)
        return x + self.self_attn(x + code, x + code, x)


class FeedForward(nn.Module):
    """Two linear layers on every query."""

    def __init__(self, dim: int, hidden_dim: int):
        super().__init__()
        self.linear1 = nn.Linear(dim, hidden_dim)
        self.linear2 = nn.Linear(hidden_dim, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.linear2(F.relu(self.linear1(self.norm(x))))


class PixelFeedForward(nn.Module):
    """The same for the pixels, which have neighbours."""

    def __init__(self, dim: int):
        super().__init__()
        self.conv = ChannelAttentionBlock(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Block(nn.Module):
    """One exchange between the queries and the pixels of every object."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        dim, heads = config.value_dim, config.num_heads
        self.read_from_pixel = CrossAttention(dim, heads, norm=True)
        self.self_attn = SelfAttention(dim, heads)
        self.ffn = FeedForward(dim, config.ffn_dim)
        self.read_from_query = CrossAttention(dim, heads, norm=False)
        self.pixel_ffn = PixelFeedForward(dim)

    def forward(
        self, pixels: Tensor, pixel_code: Tensor, queries: Tensor, query_code: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """pixels, pixel_code (B, N, C, h, w), queries, query_code (B, N, Q, C), mask (B, N, Q, h * w)."""
        size = pixels.shape
        x, x_code = (t.flatten(3).flatten(0, 1).transpose(1, 2) for t in (pixels, pixel_code))  # (BN, hw, C)
        q, q_code = queries.flatten(0, 1), query_code.flatten(0, 1)
        q = self.read_from_pixel(q, q_code, x, x_code, mask.flatten(0, 1))
        q = self.ffn(self.self_attn(q, q_code))
        x = self.read_from_query(x, x_code, q, q_code)
        pixels = self.pixel_ffn(x.transpose(1, 2).unflatten(2, size[3:]))
        return pixels.unflatten(0, size[:2]), q.unflatten(0, size[:2])


class ObjectTransformer(nn.Module):
    """Refines the readout of every object using its object memory."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        dim, num_queries = config.value_dim, config.num_queries
        self.query_init = nn.Embedding(num_queries, dim)
        self.query_emb = nn.Embedding(num_queries, dim)
        self.summary_to_query_init = nn.Linear(dim, dim)
        self.summary_to_query_emb = nn.Linear(dim, dim)
        self.pixel_init_proj = nn.Conv2d(dim, dim, 1)
        self.pixel_emb_proj = nn.Conv2d(dim, dim, 1)
        self.spatial_pe = PositionEncoding(dim)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_blocks))
        self.mask_pred = nn.ModuleList(
            nn.Sequential(nn.ReLU(), nn.Conv2d(dim, 1, 1)) for _ in range(config.num_blocks + 1)
        )

    def forward(
        self, readout: Tensor, object_memory: Tensor, selector: Tensor | None = None, chunk_size: int | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """readout (B, N, C, h, w), object_memory (B, N, Q, C + 1) -> refined readout and, before the first block and
        after each, a logit per object and cell, (B, N, h, w)."""
        summary = (object_memory[..., :-1] / (object_memory[..., -1:] + 1e-4)).to(readout.dtype)
        queries = self.query_init.weight + self.summary_to_query_init(summary)
        query_code = self.query_emb.weight + self.summary_to_query_emb(summary)
        pixels = per_object(self.pixel_init_proj, readout)
        grid = self.spatial_pe(*readout.shape[-2:]).permute(2, 0, 1)  # (C, h, w)
        pixel_code = grid.to(pixels.dtype) + per_object(self.pixel_emb_proj, readout)

        logits = [self._logits(0, pixels)]
        for i, block in enumerate(self.blocks, start=1):
            mask = self._attention_mask(logits[-1], selector)
            pixels, queries = in_object_chunks(block, chunk_size, pixels, pixel_code, queries, query_code, mask)
            logits.append(self._logits(i, pixels))
        return pixels, logits

    def _logits(self, level: int, pixels: Tensor) -> Tensor:
        return per_object(self.mask_pred[level], pixels).squeeze(2)

    def _attention_mask(self, logits: Tensor, selector: Tensor | None) -> Tensor:
        """Where queries may look: (B, N, h, w) -> (B, N, Q, h * w). Half see the object's cells, half the others."""
        contest = aggregate(logits.detach(), selector)
        foreground = (contest[:, 1:] >= contest.amax(dim=1, keepdim=True)).flatten(2)  # (B, N, hw)
        sides = torch.stack([foreground, ~foreground], dim=2)  # (B, N, 2, hw)
        sides = sides | ~sides.any(dim=-1, keepdim=True)  # with nothing to look at, look at all
        half = self.query_init.num_embeddings // 2
        return sides.unsqueeze(3).expand(-1, -1, -1, half, -1).flatten(2, 3)
