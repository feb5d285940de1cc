"""Captured attention maps of several layers as one map per word."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def aggregate(maps: dict[str, Tensor], size: tuple[int, int]) -> Tensor:
    """The mean of all layers' maps, (b, words, H, W).

    maps: layer -> (b, words, h, w), probabilities, already averaged over heads and noise levels.
    size: (H, W) of the latent grid; coarser maps are repeated, finer ones averaged by area.
    Every layer counts the same, as in source 000, which sums them without weights.
    """
    return sum(interpolate(layer, size=size, mode="area") for layer in maps.values()) / len(maps)


def weighted(maps: dict[str, Tensor], size: tuple[int, int]) -> Tensor:
    """sum_l n_l A_l / mean(A_l) / sum_l n_l, (b, words, H, W): each layer by its number of cells n_l, in its own units.

    maps and size as in `aggregate`, but coarser maps are interpolated. A fine layer shows more of an outline than a
    coarse one; the mean over the picture takes out how much a layer looks at a word at all.
    """
    cells = {name: layer.shape[2] * layer.shape[3] for name, layer in maps.items()}
    total = sum(cells[name] * _resized(_by_mean(layer), size) for name, layer in maps.items())
    return total / sum(cells.values())


def _by_mean(layer: Tensor) -> Tensor:
    return layer / layer.mean((2, 3), keepdim=True).clamp_min(torch.finfo(layer.dtype).tiny)


def _resized(layer: Tensor, size: tuple[int, int]) -> Tensor:
    if layer.shape[2] >= size[0] and layer.shape[3] >= size[1]:
        return interpolate(layer, size=size, mode="area")
    return interpolate(layer, size=size, mode="bilinear", align_corners=False)
