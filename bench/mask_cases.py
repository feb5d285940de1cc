"""Drawn scenes with the prompts and phrases that masks are looked for with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..demo.captions import phrase, prompt
from ..demo.scenes import SIZE, Scene, Thing, random_scene, random_thing, render
from ..demo.train.data import TEST_SEED

FIRST = 40_000  # held-out scenes from this number on


@dataclass(frozen=True)
class Case:
    """A scene, the prompt that goes with its picture, and the phrases to look for."""

    scene: Scene
    prompt: str
    phrases: tuple[str, ...]

    def draw(self) -> tuple[Tensor, Tensor]:
        """The picture (1, 128, 128, 3), and the mask of each object (n, 128, 128)."""
        picture, masks = render(self.scene)
        return torch.from_numpy(picture)[None], torch.from_numpy(masks)


def cases(things: int, count: int) -> list[Case]:
    """Scenes of so many objects, each of them a phrase."""
    scenes = [random_scene(np.random.default_rng((TEST_SEED, things, FIRST + i)), things) for i in range(count)]
    return [Case(scene, prompt(scene), tuple(map(phrase, scene.things))) for scene in scenes]


def three_case(number: int) -> Case:
    """A scene of three objects of different looks that do not touch."""
    rng = np.random.default_rng((TEST_SEED, 5, FIRST + number))
    things: list[Thing] = []
    while len(things) < 3:
        radius = rng.uniform(14, 20)
        thing = random_thing(rng, *rng.uniform(radius + 2, SIZE - radius - 2, 2), radius)
        if all(_apart(thing, other) for other in things):
            things.append(thing)
    scene = replace(random_scene(rng, 0), things=tuple(things))
    return Case(scene, prompt(scene), tuple(map(phrase, things)))


def _apart(thing: Thing, other: Thing) -> bool:
    far = max(abs(thing.x - other.x), abs(thing.y - other.y)) >= thing.radius + other.radius + 4
    return far and (thing.shape, thing.colour) != (other.shape, other.colour)


def half_true_case(number: int) -> Case:
    """A scene of one object (the first phrase) whose prompt also names another, in another shape and colour."""
    rng = np.random.default_rng((TEST_SEED, 3, FIRST + number))
    scene = random_scene(rng, 1)
    (shown,) = scene.things
    missing = shown
    while missing.shape == shown.shape or missing.colour == shown.colour:
        missing = random_thing(rng, 0, 0, 1)
    named = (shown, missing) if rng.random() < 0.5 else (missing, shown)
    return Case(scene, prompt(replace(scene, things=named)), (phrase(shown), phrase(missing)))
