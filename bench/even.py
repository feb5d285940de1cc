"""How alike the steps of a style slider are: evenly valued, in a window, and as Even Steps spaces them."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from .mover import Mover, Slider

COUNT, LOOKS, START = 9, 2, 0.75
VALUES = [i / (COUNT - 1) for i in range(COUNT)]


def uniformity(steps: list[float]) -> float:
    """1 - mean |d - mean d| / (2 mean d) of the steps' lengths: 1 where all are alike, near 0 with a single one."""
    mean = statistics.mean(steps)
    return 1 - statistics.mean(abs(step - mean) for step in steps) / (2 * mean)


def by_pixels(pictures: Tensor) -> float:
    """Uniformity of the root mean square difference of neighbouring pictures (B, H, W, C), every pixel."""
    return uniformity((pictures[1:] - pictures[:-1]).square().mean((1, 2, 3)).sqrt().tolist())


def by_judge(pictures: Tensor, style: str) -> float:
    """Uniformity of the difference of the judge's log odds of the style."""
    from ..demo import judge

    odds = log_odds(judge.read(judge.load(), pictures), [style] * len(pictures))
    return uniformity([abs(after - before) for before, after in zip(odds[:-1], odds[1:], strict=True)])


def log_odds(readings: list, styles: list[str]) -> list[float]:
    chances = torch.tensor([r.styles[style] for r, style in zip(readings, styles, strict=True)], dtype=torch.float64)
    return chances.logit(1e-9).tolist()


def strips(mover: Mover, slider: Slider) -> dict[str, Tensor]:
    """COUNT pictures each: evenly valued without and with a window, and evenly spaced after LOOKS looks."""
    from ..sampling.even import even_values, joined, probes, without_still_ends

    plain = mover.path(slider, VALUES)
    window = mover.path(slider, VALUES, START)
    seen = without_still_ends(probes(VALUES, [window]), 0.05)
    for _ in range(LOOKS):
        values = even_values(seen, COUNT)
        pictures = mover.path(slider, values, START)
        seen = joined(seen, probes(values, [pictures]))
    return {"plain": plain, "window": window, "even": pictures}


def measure(mover: Mover, sliders: list[Slider], styles: list[str], objects: list) -> dict[str, float]:
    """Means over the sliders: uniformity by pixels and by the judge, and the objects that stay."""
    from ..demo import judge

    reader, found = judge.load(), {}
    for slider, style, thing in zip(sliders, styles, objects, strict=True):
        for name, pictures in strips(mover, slider).items():
            found.setdefault(("uniformity", name), []).append(by_pixels(pictures))
            found.setdefault(("uniformity_judge", name), []).append(by_judge(pictures, style))
            kept = [r.has(thing.shape, thing.colour) for r in judge.read(reader, pictures)]
            found.setdefault(("kept", name), []).append(statistics.mean(kept))
    return {f"{what}_{name}".removesuffix("_even"): statistics.mean(values) for (what, name), values in found.items()}
