"""Which word acts where in a picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from .captured import Captured
from .maps import aggregate

LEAST = 0.25
"""Of a word's largest attention: a place that pays less to it is not its own. Judged by eye on TinyScenes."""


@dataclass(frozen=True)
class Ranking:
    """Words by the share of the picture that is theirs, the largest first."""

    words: tuple[str, ...]
    owner: Tensor
    """(B, H, W): the index of the word that acts there, -1 for none."""
    shares: tuple[float, ...]
    """For each word, 0..1 of all pictures."""


def rank(captured: Captured, size: tuple[int, int]) -> Ranking:
    """Gives each of H x W places to the word that it looks at most, in units of the mean that the word gets anywhere.

    Without that unit a word that is looked at everywhere would own all places, those of objects too. Words that are
    part of a captured phrase do not count beside it.
    """
    words = _apart(captured)
    maps = aggregate(captured.layers, tuple(captured.samples.shape[-2:]))[:, [captured.words.index(w) for w in words]]
    owner = torch.stack([_owner(item, size) for item in maps])
    shares = torch.stack([(owner == i).float().mean() for i in range(len(words))])
    order = shares.argsort(descending=True, stable=True)
    place = torch.cat([order.argsort(), torch.tensor([-1])])  # the last for none
    return Ranking(tuple(words[i] for i in order), place[owner], tuple(shares[order].tolist()))


def _owner(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """(H, W) from (words, h, w)."""
    maps = interpolate(maps[None].float(), size=size, mode="bilinear", align_corners=False)[0]
    mean = maps.mean((1, 2), keepdim=True).clamp_min(torch.finfo(maps.dtype).tiny)
    best = (maps / mean).argmax(0)
    strong = (maps > LEAST * maps.amax((1, 2), keepdim=True)).gather(0, best[None])[0]
    return best.where(strong, -1)


def _apart(captured: Captured) -> list[str]:
    """The phrases, and the content words that are part of none."""
    return [
        word
        for word in captured.words
        if word in captured.others or all(word in others for others in captured.others.values())
    ]
