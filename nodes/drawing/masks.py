"""Masks and phrases as they come from the graph, checked and put together."""

from __future__ import annotations

from torch import Tensor

from ...attention.quote import listed
from ...attention.regions import Region
from .table import Line


def spoken(phrase: str) -> str:
    """The phrase without spaces around it; ValueError: nothing is left."""
    if not phrase.strip():
        raise ValueError("The phrase is empty; type words of the prompt.")
    return phrase.strip()


def one_per_line(masks: Tensor, lines: list[Line]) -> Tensor:
    """Masks (lines, H, W) as (lines, 1, H, W)."""
    if len(masks) != len(lines):
        raise ValueError(
            f"There are {len(masks)} masks for {len(lines)} lines ({listed([line.phrase for line in lines])}); "
            "give one line per mask."
        )
    return masks[:, None]


def placed(lines: list[Line], masks: Tensor, focus: float) -> list[Region]:
    """A region per line; masks (lines, B, H, W)."""
    return [
        Region(line.phrase, mask, line.strength, line.outside, colour=line.colour, focus=focus)
        for line, mask in zip(lines, masks, strict=True)
    ]
