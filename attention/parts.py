"""Connected parts of masks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def around(seed: Tensor, inside: Tensor) -> Tensor:
    """The parts of `inside` that hold a cell of `seed`, both (b, h, w) of 0 and 1; cells touch at corners too."""
    part, grown = torch.zeros_like(inside), seed * inside
    while not grown.equal(part):
        part, grown = grown, F.max_pool2d(grown[:, None], 3, 1, 1)[:, 0] * inside
    return part


def strongest(masks: Tensor, maps: Tensor) -> Tensor:
    """Of each mask the part in which its map is largest; both (b, h, w), a black mask stays black."""
    within = maps * masks
    seed = torch.zeros_like(masks).flatten(1).scatter_(1, within.flatten(1).argmax(1, keepdim=True), 1.0)
    return around(seed.view_as(masks), masks)
