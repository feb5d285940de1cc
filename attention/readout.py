"""Captured maps as masks, heat maps and a presence."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from .captured import Captured
from .maps import aggregate, weighted
from .owners import owned
from .presence import FOUND, presence
from .quote import listed, short
from .refine import refine
from .threshold import Threshold, mask

COMBINE = ("union", "each")
EVEN = 0.7
"""Power of refined maps: attention falls steeply from a thing's middle, and the best split would cut off its rim."""


@dataclass(frozen=True)
class ReadOut:
    """How maps become masks."""

    threshold: Threshold = field(default_factory=Threshold)
    refine: int = 0
    """Rounds of self-attention refinement; 0: layers count the same and masks may overlap, as in source 000."""
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
    if how.refine and not captured.refinable:
        raise ValueError(
            "Refinement needs self-attention, which Attention Capture records only with self_attention on; switch that "
            "on, or set refine to 0."
        )
    maps = aggregate(captured.layers, tuple(captured.samples.shape[-2:]))  # (B, words, h, w)
    shown = torch.stack([_presence(captured, maps, phrase) for phrase in phrases])
    own, masks = (_sharp if how.refine else _plain)(captured, maps, phrases, size, how)
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


def _of(captured: Captured, maps: Tensor, phrases: tuple[str, ...]) -> Tensor:
    """(B, phrases, h, w) from (B, words, h, w)."""
    return maps[:, [captured.words.index(phrase) for phrase in phrases]]


def _plain(
    captured: Captured, plain: Tensor, phrases: tuple[str, ...], size: tuple[int, int], how: ReadOut
) -> tuple[Tensor, Tensor]:
    """Maps (phrases, B, h, w) and masks (phrases, B, H, W) as source 000 reads them."""
    own = _of(captured, plain, phrases).transpose(0, 1)
    return own, torch.stack([mask(each, size, how.threshold) for each in own])


def _sharp(
    captured: Captured, plain: Tensor, phrases: tuple[str, ...], size: tuple[int, int], how: ReadOut
) -> tuple[Tensor, Tensor]:
    """Maps (phrases, B, h, w) that follow outlines, and masks (phrases, B, H, W) that share no pixel with a rival's.

    plain (B, words, h, w): for the presence. Rivals take their pixels before refinement, which would spread what lies
    on the wrong object over all of it, and again after it.
    """
    names = tuple(dict.fromkeys((*phrases, *captured.phrases)))
    rivals = _rivals(captured, plain, names, how.found)
    refined = captured.self_attention is not None
    maps = weighted(captured.layers, captured.self_grid if refined else tuple(plain.shape[2:]))
    maps = _of(captured, maps, names)
    maps = maps * owned(maps, rivals)
    if refined:
        maps = refine(maps, captured.self_attention, captured.self_grid, how.refine)
    maps = maps**EVEN
    wide = interpolate(maps.float(), size=size, mode="bicubic", align_corners=False).clamp_min(0)
    own = owned(wide, rivals)
    chosen = [names.index(phrase) for phrase in phrases]
    masks = torch.stack([mask(wide[:, i], size, how.threshold) * own[:, i] for i in chosen])
    return maps[:, chosen].transpose(0, 1), masks


def _rivals(captured: Captured, plain: Tensor, names: tuple[str, ...], found: float) -> Tensor:
    """(B, n, n): whether a phrase that the picture shows takes pixels from another."""
    there = torch.stack([_presence(captured, plain, name) for name in names], 1) >= found
    pairs = [[other in captured.rivals.get(name, ()) for other in names] for name in names]
    return torch.tensor(pairs, device=plain.device) & there[:, None]
