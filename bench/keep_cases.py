"""Pictures of objects whose scene is to change, drawn by code."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..demo.backdrops import BACKGROUNDS
from ..demo.captions import phrase
from ..demo.scenes import SIZE, Scene, Thing, random_scene, render
from ..demo.train.data import TEST_SEED

SHIFT = 40  # pixels, five cells: about a third of the picture
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True)
class Case:
    """A scene of one object, and the scene that is asked for in its place."""

    scene: Scene
    asked: Scene
    """The object as it shall be kept, alone or with another, before another background."""

    @property
    def phrase(self) -> str:
        return phrase(self.scene.things[0])

    def draw(self) -> tuple[Tensor, Tensor]:
        """The picture (128, 128, 3) and its object's mask (128, 128)."""
        picture, masks = drawn(self.scene)
        return picture, masks[0]


def cases(first: int, count: int) -> list[Case]:
    """Held-out scenes from number `first` on, each with another background."""
    return [Case(scene, replace(scene, background=_other(rng, scene))) for scene, rng in _scenes(first, count, 1)]


def moved_cases(first: int, count: int) -> list[Case]:
    """The first `count` scenes from `first` on whose object has room to move by SHIFT, to the side with most of it."""
    scenes = [(scene, rng) for scene, rng in _scenes(first, 2 * count, 1) if _room(scene.things[0])[0] >= SHIFT]
    return [
        Case(scene, replace(scene, things=(_shifted(scene.things[0]),), background=_other(rng, scene)))
        for scene, rng in scenes[:count]
    ]


def paired_cases(first: int, count: int) -> tuple[list[Case], list[Case]]:
    """Scenes of two objects, as two pictures of one each before backgrounds of their own."""
    pairs = []
    for scene, rng in _scenes(first, count, 2):
        places = rng.permutation([name for name in BACKGROUNDS if name != scene.background])
        singles = [
            replace(scene, things=(thing,), background=str(place), relation="and", seed=scene.seed + i)
            for i, (thing, place) in enumerate(zip(scene.things, places, strict=False))
        ]
        pairs.append([Case(single, scene) for single in singles])
    return tuple(map(list, zip(*pairs, strict=True)))


def drawn(scene: Scene) -> tuple[Tensor, Tensor]:
    """The picture (128, 128, 3) and a mask for each object (n, 128, 128)."""
    picture, masks = render(scene)
    return torch.from_numpy(picture), torch.from_numpy(masks)


def _scenes(first: int, count: int, things: int) -> list[tuple[Scene, np.random.Generator]]:
    rngs = [np.random.default_rng((TEST_SEED, 4, i)) for i in range(first, first + count)]
    return [(random_scene(rng, things), rng) for rng in rngs]


def _other(rng: np.random.Generator, scene: Scene) -> str:
    return str(rng.choice([name for name in BACKGROUNDS if name != scene.background]))


def _room(thing: Thing) -> tuple[float, tuple[int, int]]:
    """Pixels between an object and the farthest side of the picture, and that side."""
    left, top, right, bottom = thing.box
    rooms = {(1, 0): SIZE - right, (-1, 0): left, (0, 1): SIZE - bottom, (0, -1): top}
    return max((rooms[side], side) for side in SIDES)


def _shifted(thing: Thing) -> Thing:
    across, down = _room(thing)[1]
    return replace(thing, x=thing.x + SHIFT * across, y=thing.y + SHIFT * down)
