"""Pictures after drawn outlines, by TinyScenes' ControlNet in the host's own nodes, and whether they follow them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..demo import judge
from ..demo.outlines import outline
from ..demo.scenes import Scene, Thing, random_scene, render
from ..demo.train.data import TEST_SEED


def scenes(first: int, count: int) -> list[Scene]:
    """Held-out scenes from number `first` on, of one and of two things in turn, told without a relation."""
    numbers = range(first, first + count)
    return [random_scene(np.random.default_rng((TEST_SEED, 4, n)), 1 + (n - first) % 2) for n in numbers]


def hints(drawn: list[Scene]) -> Tensor:
    """The scenes' outline maps, IMAGE (B, 128, 128, 3)."""
    return torch.from_numpy(np.stack([outline(scene) for scene in drawn]))[..., None].expand(-1, -1, -1, 3).contiguous()


def controlled(texts: tuple[list, list], control, hint: Tensor, strength: float = 1.0, span=(0.0, 1.0)) -> tuple:
    """Positive and negative after the host's ControlNetApplyAdvanced; hint: (B, 128, 128, 3), a map per picture."""
    from nodes import ControlNetApplyAdvanced

    return ControlNetApplyAdvanced().apply_controlnet(*texts, control, hint, strength, *span)


def there(reading: judge.Reading) -> np.ndarray:
    """Cells (16, 16) bool that any thing covers."""
    return np.any([np.zeros((judge.CELLS,) * 2, bool), *(thing.cells for thing in reading.things)], axis=0)


def followed(scene: Scene, reading: judge.Reading) -> float:
    """IoU of all things' cells in a picture, as the judge reads it, with the filled shapes that were outlined."""
    return judge.overlap(there(reading), judge.coverage(render(scene)[1]).max(0))


def at(thing: Thing, reading: judge.Reading) -> judge.Found | None:
    """What stands where a thing was outlined."""
    share = judge.coverage(render(Scene((thing,), "grass", ""))[1])[0]
    return max(reading.things, key=lambda found: (found.cells * share).sum(), default=None)


def coloured(scene: Scene, reading: judge.Reading) -> list[bool]:
    """Per thing, whether what stands in its outline has the colour that the prompt gave it."""
    found = [at(thing, reading) for thing in scene.things]
    return [f is not None and f.colour == thing.colour for f, thing in zip(found, scene.things, strict=True)]


def shaped(scene: Scene, reading: judge.Reading) -> list[bool]:
    """Per thing, whether what stands in its outline has the outline's shape."""
    found = [at(thing, reading) for thing in scene.things]
    return [f is not None and f.shape == thing.shape for f, thing in zip(found, scene.things, strict=True)]
