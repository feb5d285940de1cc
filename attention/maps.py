"""Captured attention maps of several layers as one map per word."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate


def aggregate(maps: dict[str, Tensor], size: tuple[int, int]) -> Tensor:
    """The mean of all layers' maps, (b, words, H, W).

    maps: layer -> (b, words, h, w), probabilities, already averaged over heads and noise levels.
    size: (H, W) of the latent grid; coarser maps are repeated, finer ones averaged by area.
    Every layer counts the same, as in source 000, which sums them without weights.
    """
    return sum(interpolate(layer, size=size, mode="area") for layer in maps.values()) / len(maps)
