"""How much each picture token looks at chosen text tokens, without keeping the whole attention matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

CHUNK = {"cpu": 2 << 20, "other": 16 << 20}
"""Bytes of logits at a time: on a CPU what stays in its cache, elsewhere few large calls."""


def probabilities(q: Tensor, k: Tensor, columns: Sequence[Sequence[int]]) -> Tensor:
    """Attention probability of each word, (b, words, Q) float32: mean over the word's tokens and over heads.

    q        (b, heads, Q, D) picture tokens, any float dtype.
    k        (b, heads, n, D) the conditioning's own text tokens, without the host's repeats.
    columns  for each word the rows of k that hold it, at least one.
    The softmax runs over all n tokens in float32, as in the model without a bias.
    """
    chosen = _averages(columns, k.shape[2], q.device)
    parts = (head_chunk @ chosen for head_chunk in _softmax_by_heads(q, k))
    return (sum(part.sum(1) for part in parts) / q.shape[1]).transpose(1, 2)


def self_probabilities(q: Tensor, k: Tensor) -> Tensor:
    """Attention probability of every picture token for every other, (b, Q, K) float32, mean over heads.

    q (b, heads, Q, D), k (b, heads, K, D); each row of the result sums to 1.
    """
    return sum(part.sum(1) for part in _softmax_by_heads(q, k)) / q.shape[1]


def pooled_probabilities(q: Tensor, k: Tensor, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """The same between areas of a picture too large for it, (b, T, T): queries and keys are averaged over each area.

    q, k (b, heads, h w, D) of the grid (h, w); size: (H, W) with T = H W.
    """
    q, k = (_pooled(tokens, grid, size) for tokens in (q, k))
    return self_probabilities(q, k)


def _pooled(tokens: Tensor, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
    picture = tokens.float().transpose(2, 3).flatten(0, 1).unflatten(2, grid)
    return interpolate(picture, size=size, mode="area").flatten(2).unflatten(0, tokens.shape[:2]).transpose(2, 3)


def _softmax_by_heads(q: Tensor, k: Tensor) -> Iterator[Tensor]:
    """Probabilities (b, some heads, Q, n), a few heads at a time so that memory stays small."""
    size = 4 * q.shape[0] * q.shape[2] * k.shape[2]
    count = max(1, CHUNK["cpu" if q.device.type == "cpu" else "other"] // size)
    for some_q, some_k in zip(q.split(count, 1), k.split(count, 1), strict=True):
        scaled = some_q.float() * q.shape[-1] ** -0.5
        yield torch.softmax(scaled @ some_k.float().transpose(-1, -2), -1)


def _averages(columns: Sequence[Sequence[int]], tokens: int, device: torch.device) -> Tensor:
    """(tokens, words): multiplied from the right, it takes the mean over each word's tokens."""
    table = torch.zeros(tokens, len(columns))
    for word, rows in enumerate(columns):
        table[list(rows), word] = 1 / len(rows)
    return table.to(device)
