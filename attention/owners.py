"""Which of several phrases a pixel belongs to."""

from __future__ import annotations

import torch
from torch import Tensor


def owned(maps: Tensor, rivals: Tensor) -> Tensor:
    """Where each phrase is seen at least as much as its rivals, each in units of its own largest value; (b, n, H, W).

    maps    (b, n, H, W) of n phrases, not negative.
    rivals  (b, n, n) bool: [:, i, j] says whether j takes pixels from i. A phrase without rivals owns every pixel.
    """
    share = maps / maps.amax((2, 3), keepdim=True).clamp_min(torch.finfo(maps.dtype).tiny)
    strongest = [share.where(those[..., None, None], -1).amax(1) for those in rivals.unbind(1)]
    return share >= torch.stack(strongest, 1)
