"""Semantic guidance: what edit concepts add to a noise prediction (SEGA, arXiv:2301.12247; SOURCES 002)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

NORMALISE = ("source", "always", "never")
MASKS = ("sega", "joint", "ledits", "none")


@dataclass(frozen=True)
class Part:
    """One concept at one step."""

    edit: Tensor | None
    """Its masked, scaled and signed difference (B, C, h, w) in eps units; None where it was not computed."""
    weight: float
    warm: bool
    """Its warm-up is over."""
    cooled: bool = False
    """Its cool-down has come."""


@dataclass(frozen=True)
class Momentum:
    """s_m and beta of source 002."""

    scale: float = 0.1
    beta: float = 0.4


def largest(psi: Tensor, threshold: float, joint: bool) -> Tensor:
    """Mask of the values that the fraction `threshold` of the pixels does not reach, 1 or 0, (B, C or 1, h, w).

    psi (B, C, ..., h, w). Per picture and channel as SEGA, or one mask for all channels, by sum |psi|, as LEDITS++.
    """
    size = psi.abs().float()
    if joint:
        size = size.sum(1, keepdim=True)
    return (size >= quantile(size.flatten(2), threshold).reshape(*size.shape[:2], *[1] * (size.ndim - 2))).to(psi)


def quantile(values: Tensor, fraction: float) -> Tensor:
    """torch.quantile over the last axis with linear interpolation, of any size: the original stops at 2^24 values."""
    ordered = values.float().sort(-1).values
    at = fraction * (ordered.shape[-1] - 1)
    low = int(at)
    high = min(low + 1, ordered.shape[-1] - 1)
    return torch.lerp(ordered[..., low], ordered[..., high], at - low)


def combine(
    parts: Sequence[Part], nu: Tensor | float, momentum: Momentum, normalise: str
) -> tuple[Tensor | float, Tensor]:
    """(what to add to the guidance, the next step's nu), SOURCES 2.1.

    While some concepts still warm up, the others act without momentum. Weights below 0 count as 0; `normalise` divides
    by their sum: source: only during such a phase, always, or never. Where nothing is active the edit is 0, never NaN.
    """
    weights = [0.0 if part.cooled else max(part.weight, 0.0) for part in parts]
    active = [weight if part.warm else 0.0 for part, weight in zip(parts, weights, strict=True)]
    every = momentum.scale * nu + _sum(parts, weights, normalise == "always")
    following = momentum.beta * nu + (1 - momentum.beta) * every
    if all(part.warm for part in parts):
        return every, following
    return _sum(parts, active, normalise != "never"), following


def _sum(parts: Sequence[Part], weights: list[float], normalised: bool) -> Tensor | float:
    whole = sum(weights)
    share = 1 / whole if normalised and whole > 0 else 1.0
    pairs = zip(parts, weights, strict=True)
    return sum((weight * share * part.edit for part, weight in pairs if weight and part.edit is not None), 0.0)


def across(edit: Tensor, guidance: Tensor) -> Tensor:
    """The part of an edit that is orthogonal to the guidance, per picture."""
    flat = guidance.flatten(1)
    share = (edit.flatten(1) * flat).sum(1) / (flat * flat).sum(1).clamp_min(torch.finfo(torch.float32).tiny)
    return edit - share.reshape(-1, *[1] * (edit.ndim - 1)) * guidance


def rescale(edited: Tensor, plain: Tensor, phi: float) -> Tensor:
    """The edited prediction with the plain one's spread, mixed in by phi 0..1, per picture (arXiv:2305.08891)."""
    spread = plain.flatten(1).std(1) / edited.flatten(1).std(1).clamp_min(torch.finfo(torch.float32).tiny)
    return edited * (phi * spread + 1 - phi).reshape(-1, *[1] * (edited.ndim - 1))
