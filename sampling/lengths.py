"""Brings the encodings of prompts of different length to one number of rows."""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 77  # rows of one CLIP chunk: start token, 75 tokens of text and padding, end token

Blocks = tuple[int, int]
"""Rows of CLIP, then rows of T5, as SD3 joins them; other models have the second block only."""


def blocks(x: Tensor) -> Blocks:
    """Where an encoding (B, N, D) is cut: SD3's CLIP rows fill the first half of the channels at most, T5's all."""
    half = x.shape[-1] // 2
    clip = x[..., :half].ne(0).any(-1) & x[..., half:].eq(0).all(-1)  # (B, N)
    first = int(clip.all(0).long().cumprod(0).sum())
    return first, x.shape[1] - first


def longest(own: list[Blocks]) -> Blocks:
    """The size at which none of them is cut."""
    return max(first for first, _ in own), max(second for _, second in own)


def lengthen(x: Tensor, own: Blocks, goal: Blocks, filler: Tensor, filler_own: Blocks) -> Tensor:
    """`x` (B, ..., N, D) with `filler`'s rows (1 or B, ..., M, D) after each of its blocks, up to `goal`."""
    if own == goal:
        return x
    parts = zip(x.split(own, -2), filler.split(filler_own, -2), goal, strict=True)
    return torch.cat([_fill(part, rows, length) for part, rows, length in parts], dim=-2)


def _fill(x: Tensor, filler: Tensor, length: int) -> Tensor:
    missing, given = length - x.shape[-2], filler.shape[-2]
    if missing == 0:
        return x
    chunks = all(n and n % CHUNK == 0 for n in (missing, length, given))
    rows = torch.cat([filler[..., -CHUNK:, :]] * (missing // CHUNK), -2) if chunks else filler[..., -missing:, :]
    if rows.shape[-2] < missing:
        raise ValueError(
            f"The shorter prompt lacks {missing} rows of text and neutral has {given} to fill them with; "
            "make the prompts about equally long, or neutral's longer."
        )
    return torch.cat([x, rows.to(x).expand(x.shape[0], *rows.shape[1:])], dim=-2)
