"""Self-attention that also looks at other pictures (StyleAligned, arXiv:2312.02133; weighted as in BEYOND R3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

EPS = 1e-5
Moments = tuple[Tensor, Tensor]
"""Mean and spread per head and channel, (1, heads, 1, D) each."""


def side_by_side(tokens: Tensor) -> Tensor:
    """(N, heads, T, D) of N pictures -> (1, heads, N T, D)."""
    return tokens.transpose(0, 1).flatten(1, 2)[None].contiguous()  # not a view that keeps a whole call's tokens


def column_logits(weight: float, shares: Tensor, where: Tensor | None = None) -> Tensor:
    """(1, 1, 1, N T), or (B, 1, Q, N T) with a mask (B, Q) of queries: log(weight * share * mask).

    shares: (N, T), of each picture and place. A key with log c added counts in the softmax as c equal keys would.
    """
    columns = (weight * shares).log().flatten()[None, None, None]
    return columns if where is None else columns + where.log()[:, None, :, None]


def frequencies(axes: Sequence[int], style: float) -> Tensor:
    """(D,): factors of rotated keys (Untwisting RoPE, arXiv:2602.05013), from 1 - style to 1 + style.

    axes: channels rotated by frame or kind, height, width, ...; each axis' pairs of neighbours, the fastest first. The
    fast ones of height and width tell places close together apart, and so what is copied to its place; they go down.
    """
    factors = [torch.ones(channels) for channels in axes]
    for axis in (1, 2):
        pairs = axes[axis] // 2
        factors[axis] = (1 + style * torch.linspace(-1, 1, pairs)).repeat_interleave(2)
    return torch.cat(factors)


def moments(tokens: Tensor, shares: Tensor) -> Moments:
    """Of (N, heads, T, D) over all pictures' places, each counted by its share (N, T)."""
    tokens, shares = tokens.float(), (shares / shares.sum())[:, None, :, None]
    mean = (tokens * shares).sum((0, 2), keepdim=True)
    return mean, ((tokens - mean).square() * shares).sum((0, 2), keepdim=True).sqrt()


def aligned(tokens: Tensor, wanted: Moments) -> Tensor:
    """(B, heads, T, D) with other moments over the tokens of each row (AdaIN, arXiv:1703.06868)."""
    mean, spread = tokens.float().mean(2, keepdim=True), tokens.float().std(2, correction=0, keepdim=True)
    return ((tokens - mean) / (spread + EPS) * wanted[1] + wanted[0]).to(tokens.dtype)
