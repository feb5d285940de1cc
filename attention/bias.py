"""What regions add to cross-attention logits, so that each phrase happens where it was drawn (SOURCES 003).

Every weight function has the signature f(q, k, weights, ratio, std=None) and returns what to add to q k^T / sqrt(D):
a bias (B, 1, Q, n) or (B, heads, Q, n) in float32.

q         (B, heads, Q, D).
k         (B, heads, n, D), the prompt's own tokens (without the host's repeats).
weights   from `weigh`; their b is 1 (for every row) or B.
ratio     noise over signal (`strength.noise_ratio`); 0 gives a bias of zeros.
std       spread of the logits, () or (B,); None measures each row's own. `spatial_control` alone reads it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .scores import logit_std, logits, peak_logit
from .strength import schedule_position


@dataclass(frozen=True)
class Placed:
    """A region on one layer's grid and one prompt's tokens."""

    cells: Tensor
    """(b, Q) in 0..1, float32."""
    rows: tuple[int, ...]
    """Positions of the phrase's tokens in the prompt."""
    strength: float
    """S, for the inside."""
    outside: float
    """S', for the outside."""
    pull: Tensor | None = None
    """(b, Q): where S acts, at most `cells`; None: on all of them alike."""


@dataclass(frozen=True)
class Weights:
    """Strengths per image token and prompt token, each (b, Q, n), 0 on tokens of no region."""

    inside: Tensor
    """Sum of S * pull."""
    outside: Tensor
    """Sum of S' * (1 - mask)."""
    inside_small: Tensor
    """As `inside`, each region times the share of the picture that it leaves free: small ones count more."""
    outside_small: Tensor


def weigh(placed: Sequence[Placed], tokens: int) -> Weights:
    """Sums regions (at least one) for a prompt of `tokens` tokens; where regions or phrases overlap, they add."""
    batch, queries = max(len(region.cells) for region in placed), placed[0].cells.shape[1]
    sums = placed[0].cells.new_zeros(4, batch, queries, tokens)
    inside, outside, inside_small, outside_small = sums
    for region in placed:
        rows, mask = list(region.rows), region.cells[..., None]  # (b, Q, 1)
        pull = mask if region.pull is None else region.pull[..., None]
        free = 1 - mask.mean(1, keepdim=True)
        inside[..., rows] += region.strength * pull
        outside[..., rows] += region.outside * (1 - mask)
        inside_small[..., rows] += region.strength * free * pull
        outside_small[..., rows] += region.outside * free * (1 - mask)
    return Weights(inside, outside, inside_small, outside_small)


def spatial_control(q: Tensor, k: Tensor, weights: Weights, ratio: float, std: Tensor | None = None) -> Tensor:
    """ratio * std * (inside - outside), (B, 1, Q, n): source 003 (SOURCES 3.1).

    Changed: `std` is each row's own unless given, and regions are soft and may have S = 0 with S' > 0.
    """
    std = logit_std(q, k) if std is None else std
    return _per_row(ratio * std, weights)


def paint_with_words(q: Tensor, k: Tensor, weights: Weights, ratio: float, std: Tensor | None = None) -> Tensor:
    """log(1 + ratio) * max(q k^T / sqrt(D)) * (inside - outside), (B, 1, Q, n): eDiff-I's (SOURCES 3.7).

    The largest logit is each row's own, over heads, queries and tokens. Changed: the outside is pushed away by S'.
    """
    return _per_row(math.log1p(ratio) * peak_logit(q, k), weights)


def dense_diffusion(q: Tensor, k: Tensor, weights: Weights, ratio: float, std: Tensor | None = None) -> Tensor:
    """t^5 * (1 - area) * (S * mask * (max(a) - a) - S' * (1 - mask) * (a - min(a))), (B, heads, Q, n) (SOURCES 3.7).

    a = q k^T / sqrt(D); max and min are over the prompt's tokens, per head and query; t is SD1.x's timestep, 0..1.
    Inside, S t^5 (1 - area) = 1 lifts a phrase to the strongest token. Changed from DenseDiffusion
    (github.com/naver-ai/DenseDiffusion): the outside has a strength of its own (one w there); tokens of no region are
    left alone (there everything but a pixel's own phrase is pushed down); masks are soft, and `area` is the phrase's
    mean on the layer's grid (there the size of the pixel's segment); no modulation of self-attention and no phrase
    encoded on its own; it fades with t^5 alone (there it also ends after 30 % of the steps).
    """
    a = logits(q, k)
    low, high = torch.aminmax(a, dim=-1, keepdim=True)
    bias = weights.inside_small[:, None] * (high - a) - weights.outside_small[:, None] * (a - low)
    return schedule_position(ratio) ** 5 * bias


FUNCTIONS = {
    "spatial_control": spatial_control,
    "paint_with_words": paint_with_words,
    "dense_diffusion": dense_diffusion,
}


def repeat_tokens(bias: Tensor, tokens: int) -> Tensor:
    """Repeats the last axis to `tokens`, a multiple of its length, as the host repeats a short prompt in a batch."""
    return bias.repeat(*[1] * (bias.ndim - 1), tokens // bias.shape[-1])


def _per_row(scale: Tensor, weights: Weights) -> Tensor:
    """scale () or (B,) times inside - outside, (B, 1, Q, n)."""
    return scale.reshape(-1, 1, 1, 1) * (weights.inside - weights.outside)[:, None]
