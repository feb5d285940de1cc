"""Every effect of the pack on every tiny family: off (its neutral value) and on, as functions of a scene."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch
from pack.tests.patches.placing import left, place, region
from pack.tests.tiny_models import FAMILIES, Family, sample
from torch import Tensor

STEPS = 3


@dataclass(frozen=True)
class Scene:
    """A MODEL and its texts, ready to be sampled."""

    family: Family
    model: object
    positive: list
    negative: list
    batch: int = 1
    side: int = 8
    """Latent cells along each side."""

    def latent(self) -> Tensor:
        return self.family.latent(self.batch, self.side, self.side)

    def picture(self, count: int = 1, seed: int = 5) -> Tensor:
        """A latent with something in it."""
        shape = self.family.latent(count, self.side, self.side).shape
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed))

    def draw(self, **options) -> Tensor:
        return sample(self.model, self.latent(), self.positive, self.negative, **{"steps": STEPS, **options})

    def with_model(self, model) -> Scene:
        return replace(self, model=model)


@cache
def built(name: str) -> Family:
    """A family whose model stands; the host collects all garbage whenever a clone is gone, and need not search it."""
    FAMILIES[name].model()
    gc.collect()
    gc.freeze()
    return FAMILIES[name]


def scene(name: str = "sd1", **options) -> Scene:
    family = built(name)
    return Scene(family, family.model(), family.conditioning(), family.conditioning("blurry"), **options)


def regions(scene: Scene, on: bool) -> Scene:
    return scene.with_model(place(scene.model, region(strength=float(on), outside=0.3 * on)))


def capture(scene: Scene, on: bool) -> Scene:
    """Reading changes nothing, so there is no other "off"."""
    from pack.patches.capture import CaptureSettings
    from pack.patches.capture import capture as patch

    return scene.with_model(patch(scene.model, CaptureSettings(("red dog", "cat"), self_attention=True))[0])


def inject(scene: Scene, on: bool) -> Scene:
    from pack.patches.inject import InjectSettings
    from pack.patches.inject import inject as patch
    from pack.patches.run.window import Window

    settings = InjectSettings(Window(0.0, 1.0), count=2, strength=float(on))
    return scene.with_model(patch(scene.model, scene.picture(), left(), settings)[0])


def infuse(scene: Scene, on: bool) -> Scene:
    from pack.patches.infuse import InfuseSettings
    from pack.patches.infuse import infuse as patch

    return scene.with_model(patch(scene.model, scene.picture(2), None, InfuseSettings(weight=0.3 * on)))


def concepts(scene: Scene, on: bool) -> Scene:
    from pack.patches.run.concepts import Concept
    from pack.patches.run.window import Window
    from pack.patches.semantic import SemanticSettings, guide

    text = scene.family.conditioning("a green beach")
    concept = Concept(text, scale=5.0 * on, threshold=0.5, window=Window(0.0, 1.0))
    return scene.with_model(guide(scene.model, (concept,), SemanticSettings())[0])


def replay(scene: Scene, on: bool) -> Scene:
    """One edit at each noise level of this run's schedule."""
    from comfy.samplers import KSampler
    from pack.patches.replay import Guidance
    from pack.patches.replay import replay as patch

    sigmas = KSampler(scene.model, STEPS, torch.device("cpu"), "euler", "normal", 1.0).sigmas
    sigmas = tuple(float(sigma) for sigma in sigmas[:-1])
    edits = torch.stack([scene.picture(seed=i) for i in range(len(sigmas))]) * 0.1
    return scene.with_model(patch(scene.model, Guidance(sigmas, edits), float(on)))


def slerp(scene: Scene, on: bool) -> Scene:
    from pack.patches.slerp import TextMove, move_text

    goal = scene.family.conditioning("a green bird on a beach")
    return replace(scene, positive=move_text(scene.positive, goal, None, TextMove(theta=0.4 * on)))


SIX: dict[str, Callable[[Scene, bool], Scene]] = {
    "regions": regions,
    "capture": capture,
    "inject": inject,
    "infuse": infuse,
    "concepts": concepts,
    "slerp": slerp,
}
EFFECTS = {**SIX, "replay": replay}
