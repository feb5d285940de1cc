"""How much of what the picture looks at is its text, where both are keys of one attention."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

PLACES = 256
"""At most as many picture tokens are asked (as far as every axis keeps one), evenly apart; those between them get what
lies between."""


def text_part(q: Tensor, k: Tensor, mask: Tensor | None, text: slice, size: tuple[int, int, int]) -> Tensor:
    """(b, Q, heads), in 0..1: the softmax's sum over the keys `text`.

    q: (b, heads, Q, D) of a picture or video of `size` (frames, h, w) in tokens. k: (b, heads, K, D).
    mask: (b or 1, 1 or heads, 1 or Q, K) that is added to the logits.
    """
    axes = sum(side > 1 for side in size)
    step = max(1, math.ceil((math.prod(size) / PLACES) ** (1 / max(1, axes))))
    at = [_places(side, step) for side in size]
    chosen = torch.cartesian_prod(*at) @ torch.tensor([size[1] * size[2], size[2], 1])  # no GPU multiplies integers so
    chosen = chosen.to(q.device)
    logits = (q[:, :, chosen].float() @ k.float().mT) * q.shape[-1] ** -0.5
    if mask is not None:
        logits = logits + (mask if mask.shape[2] == 1 else mask[:, :, chosen])
    part = logits.softmax(-1)[..., text].sum(-1).unflatten(2, [len(one) for one in at])
    if part.shape[2:] != size:
        part = F.interpolate(part, size, mode="trilinear", align_corners=False)
    return part.flatten(2).mT


def _places(side: int, step: int) -> Tensor:
    """The middles of as many equal parts of an axis as there are steps in it."""
    count = math.ceil(side / step)
    return ((torch.arange(count) + 0.5) * side / count).long()
