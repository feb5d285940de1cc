"""A drawn mask as the cells of an attention layer's grid."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def cells(mask: Tensor, grid: tuple[int, int]) -> Tensor:
    """Share of each cell that a mask covers; a region never vanishes.

    mask: (B, H, W) in 0..1, of any size and dtype.
    grid: (h, w) of the image tokens of the layer, also larger than the mask.
    Returns (B, h, w) in float32. Where a picture's strongest cell came out below half of its mask's peak, that cell
    gets the peak (source 003 loses such a region, or takes it for the whole image: SOURCES 3.3). Zero stays zero.
    """
    mask = mask.float()
    covered = F.interpolate(mask[:, None], size=grid, mode="area")[:, 0].flatten(1)  # (B, h * w)
    peak = mask.flatten(1).amax(1, keepdim=True)
    strongest, at = covered.max(1, keepdim=True)
    kept = torch.where(strongest < peak / 2, peak, strongest)
    return covered.scatter(1, at, kept).unflatten(1, grid)
