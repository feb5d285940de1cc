"""Whether the picture shows what a phrase names."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

FOUND = 0.12
"""Below, a phrase counts as absent: between shown and missing objects of TinyScenes (maps of all layers)."""


def presence(maps: Tensor, phrase: int, others: Sequence[int]) -> Tensor:
    """How much more a phrase attracts its own pixels than the picture at large and the other words do, (b,) in 0..1.

    presence = (a - m) / (a + o), where the phrase's own map A weighs the pixels:
    a = sum(A A) / sum(A)    attention that the phrase gets at its own pixels,
    m = mean(A)              that it gets anywhere,
    o = sum(A O) / sum(A)    that the other content words get at its pixels, O being the mean of their maps.
    A word without a place of its own has a flat map (a = m), and at best borrows pixels where others get more (o > a).
    Without other words o = 0. It does not depend on the scale of the maps.

    maps    (b, words, H, W) probabilities of the same layers.
    phrase  index of the phrase. others: indices of content words that are not part of it.
    """
    own = maps[:, phrase].flatten(1).double()
    rivals = maps[:, list(others)].flatten(2).double().mean(1) if others else torch.zeros_like(own)
    total = own.sum(1).clamp_min(torch.finfo(own.dtype).tiny)
    here, there = (own * own).sum(1) / total, (own * rivals).sum(1) / total
    gain = (here - own.mean(1)) / (here + there).clamp_min(torch.finfo(own.dtype).tiny)
    return gain.clamp(0, 1).to(maps.dtype)
