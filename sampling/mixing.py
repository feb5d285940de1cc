"""How features of other pictures enter a picture's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

EPS = 1e-5


def mean_over_images(features: Tensor, weights: Sequence[float]) -> Tensor:
    """(N, C, h, w) -> (1, C, h, w), weighted by N numbers; N equal images equal one, their order does not matter."""
    shares = torch.tensor(weights, dtype=torch.float32, device=features.device) / sum(weights)
    return torch.einsum("nchw,n->chw", features.float(), shares)[None].to(features.dtype)


def add(h: Tensor, g: Tensor, weight: Tensor | float) -> Tensor:
    """h + w g, source 001 (SOURCES 1.1)."""
    return h + weight * g


def blend(h: Tensor, g: Tensor, weight: Tensor | float) -> Tensor:
    """h (1 - w) + w g, source 001's 'trn_normed': features keep their size."""
    return h * (1 - weight) + weight * g


def adain(h: Tensor, g: Tensor, weight: Tensor | float) -> Tensor:
    """h + w (AdaIN(h, g) - h): h with g's mean and spread per channel (arXiv:1703.06868), so style without place."""
    dims = (2, 3)
    spread, wanted = (x.std(dims, correction=0, keepdim=True) for x in (h, g))
    moved = (h - h.mean(dims, keepdim=True)) / (spread + EPS) * wanted + g.mean(dims, keepdim=True)
    return h + weight * (moved - h)


MIXES: dict[str, Callable[[Tensor, Tensor, Tensor | float], Tensor]] = {"add": add, "blend": blend, "adain": adain}
