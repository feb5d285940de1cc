"""Every effect that works while a model samples, on a model of any family and size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from comfy.model_patcher import ModelPatcher
from pack.attention.regions import Region
from pack.bench.cost_attention import WORDS
from pack.patches.capture import CaptureSettings, capture
from pack.patches.infuse import InfuseSettings, infuse
from pack.patches.inject import InjectSettings, inject
from pack.patches.regions import RegionSettings, place_regions
from pack.patches.run.concepts import Concept
from pack.patches.run.maps import Maps
from pack.patches.run.window import Window
from pack.patches.semantic import SemanticSettings, guide
from pack.tests.tiny_models import Family, sample
from torch import Tensor

PHRASES = ("red dog", "blue cat", "green field", "and")
CONCEPTS = ("glasses", "a hat")


@dataclass(frozen=True)
class Given:
    """A model and how it is sampled."""

    family: Family
    model: ModelPatcher
    side: int = 16
    """Latent cells along each side."""
    steps: int = 2
    cfg: float = 3.0
    gentle: bool = False
    """Concepts at scale 1 and without a threshold: errors do not grow, and no cell lies on the edge of a mask."""

    def latent(self) -> Tensor:
        """Zeros, (1, C, side, side)."""
        return self.family.latent(height=self.side, width=self.side)

    def picture(self) -> Tensor:
        """As if it were encoded, (1, C, side, side)."""
        return torch.randn(self.latent().shape, generator=torch.Generator().manual_seed(1))

    def sample(self, model: ModelPatcher) -> Tensor:
        """(1, C, side, side), on the CPU."""
        texts = self.family.conditioning(" ".join(WORDS)), self.family.conditioning("blurry")
        return sample(model, self.latent(), *texts, steps=self.steps, cfg=self.cfg)

    def part(self, rows: slice, columns: slice) -> Tensor:
        """A mask (1, H, W) of these pixels, 8 to a cell."""
        mask = torch.zeros(1, 8 * self.side, 8 * self.side)
        mask[:, rows, columns] = 1
        return mask

    def halves(self) -> list[Tensor]:
        """Left and right."""
        middle = 4 * self.side
        return [self.part(slice(None), across) for across in (slice(middle), slice(middle, None))]

    def quarters(self) -> list[Tensor]:
        """From the top left one."""
        sides = slice(4 * self.side), slice(4 * self.side, None)
        return [self.part(down, across) for down in sides for across in sides]


Patched = tuple[ModelPatcher, Maps | None]
"""A model, and where it leaves what it looked at."""


def _regions(given: Given, masks: list[Tensor]) -> Patched:
    placed = tuple(Region(phrase, mask, 0.5, 0.5, focus=1.0) for phrase, mask in zip(PHRASES, masks, strict=False))
    return place_regions(given.model, placed, RegionSettings()), None


def regions_2(given: Given) -> Patched:
    return _regions(given, given.halves())


def regions_4(given: Given) -> Patched:
    return _regions(given, given.quarters())


def capture_3(given: Given) -> Patched:
    return capture(given.model, CaptureSettings(PHRASES[:3]))


def share(given: Given) -> Patched:
    settings = InfuseSettings(3.0, preset="all", mix="share", input="noised")
    return infuse(given.model, given.picture(), None, settings), None


def add(given: Given) -> Patched:
    return infuse(given.model, given.picture(), None, InfuseSettings(0.05, preset="all")), None


def _concepts(given: Given, how: str) -> Patched:
    window, texts = Window(0.0, 1.0), [given.family.conditioning(text) for text in CONCEPTS]
    scale, threshold = (1.0, 0.0) if given.gentle else (5.0, 0.9)
    concepts = tuple(Concept(text, scale=scale, window=window, threshold=threshold, how=how) for text in texts)
    settings = SemanticSettings() if given.cfg > 1 else SemanticSettings(against="prompt")
    return guide(given.model, concepts, settings)[0], None


def concepts_2_guidance(given: Given) -> Patched:
    return _concepts(given, "guidance")


def concepts_2_attention(given: Given) -> Patched:
    return _concepts(given, "attention")


def inject_3(given: Given) -> Patched:
    return inject(given.model, given.picture(), given.halves()[0], InjectSettings(Window(0.0, 0.8)))[0], None


EFFECTS: dict[str, Callable[[Given], Patched]] = {
    effect.__name__: effect
    for effect in (regions_2, regions_4, capture_3, share, add, concepts_2_guidance, concepts_2_attention, inject_3)
}
