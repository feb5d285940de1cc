"""Regions painted in one picture: a colour for each phrase."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...attention.quote import listed, short
from .table import RGB, Line, write_colour

SMALLEST = 0.01  # share of the area from which a colour counts as painted (source 003)
_TRIES = 256  # a photograph has no end of colours: only this many of the most frequent are looked at
_MANY = 1 << 16  # colours, over which those that differ in their last three bits alone are counted together


@dataclass(frozen=True)
class Palette:
    """The different colours of all pictures together."""

    colours: Tensor
    """(U, 3) int16, 0..255."""
    counts: Tensor
    """(U,) pixels of each."""
    first: Tensor
    """(U,) the first pixel of each, in reading order."""
    at: Tensor
    """(B, H, W) the index of each pixel's colour."""


def color_masks(image: Tensor, lines: list[Line], background: RGB | None, tolerance: int) -> tuple[list[Line], Tensor]:
    """The lines with the colours that they got, and their masks (lines, B, H, W), 0 or 1.

    image       (B, H, W, C) in 0..1, C = 1, 3 or 4 (alpha is dropped); pictures of a batch share their colours.
    lines       those without a colour take the largest unused ones in order; equal ones in reading order.
    background  is left to no line, unless a line names it; None: every colour is a region.
    tolerance   0..255: a pixel belongs to the nearest colour of which no channel is further away than this.
    ValueError: a named colour is nowhere, or fewer colours of 1 % of the area are left than lines ask for.
    """
    palette = _palette(image)
    named = list(dict.fromkeys([line.colour for line in lines if line.colour] + ([background] if background else [])))
    free = torch.where(_nearest(palette.colours, named, tolerance) < 0, palette.counts, 0)
    painted = [colour for colour, _ in _painted(palette, free, tolerance)]
    if sum(not line.colour for line in lines) > len(painted):
        raise ValueError(_too_few(lines, painted, palette, tolerance))
    unused = iter(painted)
    lines = [line if line.colour else replace(line, colour=next(unused)) for line in lines]
    centres = [*named, *painted]
    owner = _nearest(palette.colours, centres, tolerance)[palette.at]  # (B, H, W)
    masks = torch.stack([(owner == centres.index(line.colour)).float() for line in lines])
    empty = [line for line, mask in zip(lines, masks, strict=True) if not mask.any()]
    if empty:
        raise ValueError(_nowhere(empty[0], palette, tolerance))
    return lines, masks


def _palette(image: Tensor) -> Palette:
    rgb = (image[..., :3].float() * 255).round().clamp(0, 255).int()
    red, green, blue = rgb.expand(*rgb.shape[:-1], 3).unbind(-1)
    pixels = red << 16 | green << 8 | blue
    every = pixels.flatten().bincount(minlength=1 << 24)  # a tenth of the time that sorting takes
    codes = every.nonzero()[:, 0]
    at = torch.zeros(1 << 24, dtype=torch.int32).index_copy(0, codes, torch.arange(len(codes), dtype=torch.int32))
    at = at[pixels.flatten()].reshape(pixels.shape).long()
    first = torch.full(codes.shape, at.numel()).scatter_reduce(0, at.flatten(), torch.arange(at.numel()), "amin")
    colours = torch.stack([codes >> 16, codes >> 8 & 255, codes & 255], 1).short()
    return Palette(colours, every[codes], first, at)


def _nearest(colours: Tensor, centres: list[RGB], tolerance: int) -> Tensor:
    """(U,) index of the nearest centre, by the channel that differs most; -1 where none is within the tolerance."""
    best = torch.full(colours.shape[:1], tolerance + 1, dtype=colours.dtype)
    index = torch.full(colours.shape[:1], -1)
    for i, centre in enumerate(centres):
        away = (colours - torch.tensor(centre, dtype=colours.dtype)).abs().amax(1)
        index[away < best] = i
        best = torch.minimum(best, away)
    return index


def _painted(palette: Palette, counts: Tensor, tolerance: int) -> list[tuple[RGB, float]]:
    """Colours that cover 1 % or more, with all that is within the tolerance of them, and their shares; largest first.

    counts: (U,) pixels of each colour that are still to be had.
    """
    area, found = palette.at.numel(), []
    colours, left, firsts = _thinned(palette, counts)
    for _ in range(_TRIES):
        if left.sum() < SMALLEST * area:
            break
        centre = colours[left.argmax()]
        near = ((colours - centre).abs().amax(1) <= tolerance) & (left > 0)
        count, first = int(left[near].sum()), int(firsts[near].min())
        left[near] = 0
        if count >= SMALLEST * area:
            found.append((-count, first, tuple(centre.tolist())))
    return [(colour, -count / area) for count, _, colour in sorted(found)]


def _thinned(palette: Palette, counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(colours, pixels, first pixels) to search among: of a photograph, the most frequent one of each group of 8^3."""
    if len(counts) <= _MANY:
        return palette.colours, counts.clone(), palette.first
    red, green, blue = (palette.colours >> 3).long().unbind(1)
    group = red << 10 | green << 5 | blue
    ranked = counts << 32 | torch.arange(len(counts))  # the most frequent colour of a group is its largest number
    most = counts.new_zeros(1 << 15).scatter_reduce(0, group, ranked, "amax") & 0xFFFFFFFF
    pixels = counts.new_zeros(1 << 15).index_add(0, group, counts)
    firsts = counts.new_full((1 << 15,), palette.at.numel()).scatter_reduce(0, group, palette.first, "amin")
    return palette.colours[most], pixels, firsts


def _too_few(lines: list[Line], painted: list[RGB], palette: Palette, tolerance: int) -> str:
    line = [line for line in lines if not line.colour][len(painted)]
    after = f" after {listed([write_colour(colour) for colour in painted])}" if painted else ""
    return (
        f"Line {line.number} '{short(line.phrase)}' names no colour and finds none left{after}; the picture has "
        f"{_listed(palette, tolerance)}, and the background and named ones are not handed out: paint one more, over "
        "1 % of the picture."
    )


def _nowhere(line: Line, palette: Palette, tolerance: int) -> str:
    return (
        f"Line {line.number} '{short(line.phrase)}' asks for {write_colour(line.colour)}, but the picture has "
        f"{_listed(palette, tolerance)}; name one of these, or raise the tolerance."
    )


def _listed(palette: Palette, tolerance: int) -> str:
    found = _painted(palette, palette.counts, tolerance)
    return ", ".join(f"{write_colour(colour)} ({share:.0%})" for colour, share in found) or "no colour over 1 %"
