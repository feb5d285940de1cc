"""Scenes that look alike: the same colours, textures, background and style, with other shapes at other places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .scenes import Scene, random_scene


def alike(scene: Scene, rng: np.random.Generator) -> Scene:
    """Another scene with the look of `scene` and as many things."""
    other = random_scene(rng, len(scene.things))
    pairs = zip(other.things, scene.things, strict=True)
    things = tuple(replace(new, colour=old.colour, striped=old.striped) for new, old in pairs)
    return replace(other, things=things, background=scene.background, style=scene.style)
