"""Regions drawn over a picture, with their names below."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from ..drawing.table import RGB, read_colour
from .fonts import font_for
from .grid import READABLE, wrap

GREY = 0.5  # what the regions are drawn on where there is no picture
OPACITY = 0.6  # of a region's colour over the picture, where its mask is 1
HATCH = 0.4  # opacity of the stripes where no region is

_COLOURS = "#e6194b #3cb44b #4363d8 #ffe119 #f58231 #911eb4 #42d4f4 #f032e6 #9a6324 #bfef45 #000075 #fabed4"
_ALIKE = 64  # colours that differ less than this in every channel are taken for one


def region_colours(given: list[RGB | None]) -> list[RGB]:
    """Each region's own colour, or one that differs from all colours before it (from the thirteenth on they repeat)."""
    ours = [read_colour(colour) for colour in _COLOURS.split()]
    taken = [colour for colour in given if colour]
    chosen = []
    for i, colour in enumerate(given):
        if not colour:
            colour = next((c for c in ours if not any(_alike(c, other) for other in taken)), ours[i % len(ours)])
            taken.append(colour)
        chosen.append(colour)
    return chosen


def enlargement(width: int) -> int:
    """Pixels to draw for each pixel of a picture, so that words fit below it."""
    return math.ceil(READABLE / width)


def paint(masks: Tensor, colours: list[RGB], base: Tensor) -> Tensor:
    """Regions over one picture, each with its outline; hatched where there is none.

    masks: (regions, H, W) in 0..1; soft ones are that much transparent, and mix where they overlap.
    base: (H, W, 3) in 0..1. Returns (H * k, W * k, 3), k = `enlargement(W)`.
    """
    k = enlargement(base.shape[1])
    masks, base = _larger(masks, k), _larger(base.movedim(-1, 0), k).movedim(0, -1)
    flat = torch.tensor(colours) / 255
    cover = masks.amax(0)[..., None]  # (H, W, 1)
    mixed = torch.einsum("rhw,rc->hwc", masks, flat) / masks.sum(0).clamp(min=1e-6)[..., None]
    picture = base.lerp(_hatch(*cover.shape[:2]).expand(-1, -1, 3), HATCH * (1 - cover))
    picture = picture.lerp(mixed, OPACITY * cover)
    for mask, colour in zip(masks, flat, strict=True):
        picture[_outline(mask, _unit(base.shape[1]))] = colour
    return picture


def legend(texts: list[str], colours: list[RGB], hatched: str, width: int) -> Tensor:
    """A white strip (h, width, 3): a swatch and a text per region, and a last one for the hatch if it has a text."""
    size = max(12, min(32, width // 28))
    texts = [*texts, hatched] if hatched else texts
    font, pad = font_for("".join(texts), size), size // 2
    pitch = sum(font.getmetrics()) + 2
    blocks = [wrap(text, font, width - size - 3 * pad) for text in texts]
    sheet = Image.new("RGB", (width, sum(map(len, blocks)) * pitch + (len(blocks) + 1) * pad), "white")
    pen, y, swatches = ImageDraw.Draw(sheet), pad, []
    for lines in blocks:
        swatches.append(y + (pitch - size) // 2)
        for line in lines:
            pen.text((size + 2 * pad, y), line, fill="black", font=font)
            y += pitch
        y += pad
    strip = torch.from_numpy(np.array(sheet)).float() / 255
    fills = [torch.tensor(colour) / 255 for colour in colours] + [_hatch(size, size).expand(-1, -1, 3)]
    for top, fill in zip(swatches, fills, strict=False):
        strip[top : top + size, pad : pad + size] = fill
    return strip


def rgb(image: Tensor) -> Tensor:
    """(B, H, W, 3) of pictures with 1, 3 or 4 channels."""
    image = image[..., :3].float().cpu()
    return image.expand(*image.shape[:-1], 3)


def _alike(one: RGB, other: RGB) -> bool:
    return all(abs(a - b) < _ALIKE for a, b in zip(one, other, strict=True))


def _larger(planes: Tensor, k: int) -> Tensor:
    return planes.repeat_interleave(k, -2).repeat_interleave(k, -1)


def _unit(width: int) -> int:
    """Width of a thin line in pixels."""
    return max(2, width // 256)


def _hatch(height: int, width: int) -> Tensor:
    """Diagonal stripes (height, width, 1) of 0 and 1."""
    period = 6 * _unit(width)
    y, x = torch.arange(height)[:, None], torch.arange(width)
    return ((y + x) % period < period // 2).float()[..., None]


def _outline(mask: Tensor, width: int) -> Tensor:
    """Pixels inside a mask (H, W), up to `width` from its edge; the picture's border is no edge."""
    inside = (mask >= 0.5).float()
    core = -F.max_pool2d(-inside[None], 2 * width + 1, 1, width)[0]
    return inside > core
