"""Regions on the tiny models, and an explicit reference of RegionAttention that shares no code with it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import torch
from pack.tests.tiny_models import FAMILIES
from torch import Tensor

PROMPT = "a red dog and a blue cat"
PLACES = [("input", i) for i in range(9)] + [("middle", 0)] + [("output", i) for i in range(12)]


def left(height: int = 40, width: int = 64, soft: float = 1.0) -> Tensor:
    """(1, height, width), the left third."""
    mask = torch.zeros(1, height, width)
    mask[..., : width // 3] = soft
    return mask


def region(phrase: str = "red dog", mask: Tensor | None = None, strength: float = 1.0, outside: float = 0.3, **options):
    from pack.attention.regions import Region

    return Region(phrase, left() if mask is None else mask, strength, outside, **options)


def place(model, *regions, **settings):
    """RegionAttention on a model; settings as RegionSettings."""
    from pack.patches.regions import RegionSettings, place_regions

    return place_regions(model, regions, RegionSettings(**settings))


def far(model_family: str, rows: int) -> list:
    """A conditioning of `rows` rows whose words 'green bird' are its last but one."""
    return FAMILIES[model_family].conditioning(" ".join(["and"] * (rows - 5) + ["green", "bird"]), rows)


def close(ours: Tensor, explicit: Tensor, plain: Tensor) -> bool:
    """Equal to 1e-5 of the picture's size, and far from the picture without regions."""
    size = explicit.abs().max()
    assert (plain - explicit).abs().max() > 1e-2 * size, "the regions change nothing here"
    return bool((ours - explicit).abs().max() <= 1e-5 * size)


@dataclass(frozen=True)
class Told:
    """A text that regions are for, with masks that are already cut to its area."""

    text: Tensor
    """(1, n, C)."""
    regions: list[tuple[Tensor, tuple[int, ...], float, float]]
    """mask (b, H, W), rows of the phrase, S, S'."""
    shape: tuple[int, int] | None = None
    """Latent (h, w) of the model calls that are meant, if the text is also in others."""


class Explicit:
    """softmax(a + ratio * std(a) * W) V, score by score in float64, as `attn2` replaces of an unpatched model.

    A batch row is known by its text alone, repeated as the host repeats it, never by its place or uuid.
    """

    def __init__(self, *told: Told, joint: bool = False) -> None:
        self.told, self.joint, self.context = told, joint, None

    def on(self, model):
        patched = model.clone()
        patched.set_model_attn2_patch(self._remember)
        for kind, number in PLACES:
            patched.set_model_attn2_replace(self.attend, kind, number)
        return patched

    def _remember(self, n, context, value, extra_options):
        self.context = context
        return n, context, value

    def attend(self, q, k, v, extra_options):
        q, k, v = (t.unflatten(2, (extra_options["n_heads"], -1)).transpose(1, 2).double() for t in (q, k, v))
        a = q @ k.mT / q.shape[3] ** 0.5
        size, biased = len(a) // len(extra_options["cond_or_uncond"]), a.clone()
        shape = tuple(extra_options["original_shape"][2:])
        for row, context in enumerate(self.context):
            for told in self.told:
                if told.shape in (None, shape) and _repeats(context, told.text[0]):
                    own = told.text.shape[1]
                    std = a.std() if self.joint else a[row, ..., :own].std()
                    weights = self._weights(told, row % size, extra_options)
                    biased[row] += std * weights.repeat(1, a.shape[3] // own)
        return (biased.softmax(-1) @ v).transpose(1, 2).flatten(2).float()

    def _weights(self, told, item, options):
        """ratio * W of one row, (Q, n)."""
        height, width = options["activations_shape"][2:]
        weights = torch.zeros(height * width, told.text.shape[1], dtype=torch.float64)
        for mask, rows, strength, outside in told.regions:
            inside = covered(mask[item % len(mask)], height, width).flatten()
            for row in rows:
                weights[:, row] += strength * inside - outside * (1 - inside)
        return min(float(options["sigmas"][0]), 14.614647) * weights


def _repeats(context: Tensor, text: Tensor) -> bool:
    times, rest = divmod(len(context), len(text))
    return not rest and torch.equal(context, text.repeat(times, 1))


def covered(mask: Tensor, height: int, width: int) -> Tensor:
    """Mean of a mask (H, W) over each cell's pixels, also those it only touches; the strongest cell never vanishes."""
    down, across = mask.shape[0] / height, mask.shape[1] / width
    cells = torch.zeros(height, width, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            rows = mask[int(y * down + 1e-9) : ceil((y + 1) * down - 1e-9)]
            cells[y, x] = rows[:, int(x * across + 1e-9) : ceil((x + 1) * across - 1e-9)].double().mean()
    if cells.max() < mask.max() / 2:
        cells.view(-1)[cells.argmax()] = mask.max()
    return cells
