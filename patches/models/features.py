"""The places in a model where features of other pictures can enter, as text, and their weights."""

from __future__ import annotations

import re
from typing import Protocol

from ...attention.quote import short
from .blocks import NUMBER as COUNT


class Places(Protocol):
    """Of a model."""

    counts: dict[str, int]
    """How many of each kind."""

    def preset(self, name: str) -> list[str]:
        """The sites of one of PRESETS."""


PRESETS = {
    "all": ("in", "mid", "out", "skip"),
    "down path": ("in",),
    "middle": ("mid",),
    "up path": ("out",),
    "skips": ("skip",),
}
"""Kinds of a U-Net's sites; a transformer's blocks are shared out among the first three."""
SOURCE = (
    [["in.3"], ["in.6"], ["in.9"], ["in.11"], ["mid.0"], ["out.2"], ["out.5"], ["out.8"], ["out.11"]]
    + [["skip.1", "skip.2", "skip.3"], ["skip.4", "skip.5", "skip.6"], ["skip.7", "skip.8", "skip.9"]]
    + [["skip.10", "skip.11"]]
)
"""Source 001's 13 weights (SOURCES 1.1), in its order, as the host numbers SD1's blocks."""
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_PART = re.compile(rf"([a-z]+)(?:\.({COUNT})(?:\s*-\s*({COUNT}))?)?\s*(?::\s*({NUMBER}))?")
LARGEST = 1000.0


def site_weights(text: str, preset: str, places: Places) -> dict[str, float]:
    """Site -> weight: 'in.3:0.1, mid:0.05, out.5-8:0.2, skip.4:0.1', 13 numbers, or all sites of a preset at 1.

    A part without a number has weight 1. ValueError: a part that is no site, listing those there are.
    """
    words = text.replace(",", " ").lower().split()
    if not words:
        return dict.fromkeys(places.preset(preset), 1.0)
    if all(re.fullmatch(NUMBER, word) for word in words):
        return _thirteen(list(map(weight_of, words)), places.counts)
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.lower().replace("\n", ",").split(","))):
        weights |= _sites(part, places.counts)
    return {site: weight for site, weight in weights.items() if weight}


def weight_of(word: str, where: str = "sites") -> float:
    """A number typed as a weight; ValueError: none, or one of a size that only breaks pictures."""
    if not re.fullmatch(NUMBER, word.lower()) or abs(float(word)) > LARGEST:
        limits = f"from -{LARGEST:g} to {LARGEST:g}"
        raise ValueError(f"'{short(word)}' in {where} is not a number {limits}; write such as '1, 0.5, 1'.")
    return float(word)


def _first(kind: str) -> int:
    """The first input block only brings the latent in; source 001 never infuses it."""
    return 1 if kind in ("in", "skip") else 0


def _thirteen(numbers: list[float], real: dict[str, int]) -> dict[str, float]:
    if len(numbers) != 13 or real.get("in") != 12:
        raise ValueError(
            f"{len(numbers)} numbers were given as site weights; source 001's list has 13, for models of SD1's 12 "
            f"input blocks: give 13 there, else name the sites, such as '{_example(real)}'."
        )
    pairs = zip(SOURCE, numbers, strict=True)
    return {site: weight for sites, weight in pairs for site in sites if weight}


def _sites(part: str, real: dict[str, int]) -> dict[str, float]:
    found = _PART.fullmatch(part)
    kind, first, last, weight = found.groups() if found else (None,) * 4
    numbers = range(int(first), int(last or first) + 1) if first else range(_first(kind or ""), real.get(kind, 0))
    if not numbers or numbers[-1] >= real.get(kind, 0):
        known = ", ".join(f"{name}.0-{count - 1}" if count > 1 else name for name, count in real.items())
        raise ValueError(
            f"'{short(part)}' is no site of this model; it has {known}, each with a weight as in '{_example(real)}'."
        )
    return {f"{kind}.{i}": weight_of(weight or "1") for i in numbers}


def _example(real: dict[str, int]) -> str:
    return f"{next(iter(real))}.1:0.1"
