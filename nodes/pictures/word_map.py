"""The words of a prompt as colours over the picture, each where it acts."""

from __future__ import annotations

import torch
from torch import Tensor

from ...attention.captured import Captured
from ...attention.quote import short
from ...attention.ranking import Ranking, rank
from .overlay import GREY, legend, paint, region_colours, rgb

SHOWN = 12  # words with a colour of their own


def word_picture(captured: Captured, size: tuple[int, int], image: Tensor | None) -> Tensor:
    """(B, H', W', 3) in 0..1: each place in the colour of its word, above a legend with the words and their shares.

    size: (H, W), enlarged to 256 pixels if narrower. image: (any, H, W, C), repeated to B; None: grey.
    """
    ranking = rank(captured, size)
    count = min(SHOWN, len(ranking.words))
    colours = region_colours([None] * count)
    base = torch.full((1, *size, 3), GREY) if image is None else rgb(image)
    pictures = [
        paint(torch.stack([owner == i for i in range(count)]).float(), colours, base[n % len(base)])
        for n, owner in enumerate(ranking.owner)
    ]
    texts = [f"{short(word)}: {share:.0%}" for word, share in zip(ranking.words[:count], ranking.shares, strict=False)]
    strip = legend(texts, colours, _rest(ranking), pictures[0].shape[1])
    return torch.stack([torch.cat([picture, strip]) for picture in pictures])


def _rest(ranking: Ranking) -> str:
    """What the hatch stands for; '' where there is none."""
    more = len(ranking.words) - SHOWN
    share = 1 - sum(ranking.shares[:SHOWN])
    return f"no word{f', or one of {more} more' if more > 0 else ''}: {share:.0%}" if share >= 0.005 else ""
