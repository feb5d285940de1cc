"""Captured maps as masks, heat maps and a presence."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from .captured import Captured
from .maps import aggregate
from .presence import FOUND, presence
from .quote import listed, short
from .refine import refine
from .threshold import Threshold, mask

COMBINE = ("union", "each")


@dataclass(frozen=True)
class ReadOut:
    """How maps become masks."""

    threshold: Threshold = field(default_factory=Threshold)
    refine: int = 0
    """Rounds of self-attention refinement."""
    combine: str = "union"
    """union: one mask per picture. each: one per phrase and picture, all pictures of the first phrase first."""
    found: float = FOUND
    """A phrase of less presence gets an empty mask."""
    always: bool = False
    """Whether it gets a mask all the same."""


@dataclass(frozen=True)
class Reading:
    """What was read for one or more phrases."""

    mask: Tensor
    """(N, H, W) in 0..1."""
    heat: Tensor
    """(N, h, w) in 0..1: attention over its largest value; a phrase that is not found stays dim."""
    presence: Tensor
    """(phrases, B) in 0..1."""


def read_out(captured: Captured, phrases: tuple[str, ...], size: tuple[int, int], how: ReadOut) -> Reading:
    """Masks of H x W pixels for phrases that were captured; no phrases means all of them. ValueError: not captured."""
    phrases = phrases or captured.phrases
    missing = [phrase for phrase in phrases if phrase not in captured.words]
    if missing:
        raise ValueError(f"'{short(missing[0])}' was not captured; captured are: {listed(captured.words)}.")
    if how.refine and captured.self_attention is None:
        raise ValueError(
            "Refinement needs the self-attention of an SD1, SD2 or SDXL model, which Attention Capture records only "
            "with self_attention on; switch that on, or set refine to 0."
        )
    maps = aggregate(captured.layers, tuple(captured.samples.shape[-2:]))  # (B, words, h, w)
    shown = torch.stack([_presence(captured, maps, phrase) for phrase in phrases])
    if how.refine:
        maps = refine(maps, captured.self_attention, captured.self_grid, how.refine)
    own = maps[:, [captured.words.index(phrase) for phrase in phrases]].transpose(0, 1)  # (phrases, B, h, w)
    masks = torch.stack([mask(each, size, how.threshold) for each in own])
    heat = own / own.amax((2, 3), keepdim=True).clamp_min(torch.finfo(own.dtype).tiny)
    if not how.always:
        masks = masks * (shown >= how.found)[..., None, None]
        heat = heat * (shown / max(how.found, 1e-6)).clamp_max(1)[..., None, None]
    if how.combine == "union":
        return Reading(masks.amax(0), heat.amax(0), shown)
    return Reading(masks.flatten(0, 1), heat.flatten(0, 1), shown)


def _presence(captured: Captured, maps: Tensor, phrase: str) -> Tensor:
    others = captured.others.get(phrase) or tuple(word for word in captured.words if word != phrase)
    return presence(maps, captured.words.index(phrase), [captured.words.index(word) for word in others])
