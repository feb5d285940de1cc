"""Objects of TinyScenes asked for in regions, painted, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ..attention.regions import Region
from ..demo import judge
from ..demo.captions import phrase, prompt
from ..demo.model import load
from ..demo.scenes import COLOURS, SIZE, Scene, Thing
from ..nodes.inputs.weights import FOCUS, OUTSIDE, STRENGTH
from ..patches.regions import RegionSettings, place_regions
from ..patches.run.track import track_phrases
from .asked import Box, Task
from .paint import encode, paint, tagged

INSIDE = 0.6  # share of an object's cells that must lie in its region
FAILURES = ("double", "elsewhere", "mixed", "missing")


@dataclass(frozen=True)
class Setting:
    """Of every region; the nodes' defaults."""

    strength: float = STRENGTH
    outside: float = OUTSIDE
    focus: float = FOCUS
    follow: bool = False
    """Whether the regions have no mask and find their own place."""


@dataclass(frozen=True)
class Outcome:
    """A picture (H, W, 3) of a task, and what the judge found in it."""

    task: Task
    picture: Tensor
    verdicts: tuple[str, ...]
    """What became of each object."""
    things: int
    """How many there are."""
    background: bool
    """Whether it is the one asked for."""
    style: bool

    @property
    def right(self) -> bool:
        """Whether it holds exactly the things asked for, each in its region."""
        return self.things == len(self.verdicts) and set(self.verdicts) == {"placed"}

    @property
    def complete(self) -> bool:
        """Whether it holds exactly the things asked for, anywhere."""
        return self.things == len(self.verdicts) and not {"mixed", "missing"} & set(self.verdicts)


def fill(box: Box, size: int) -> np.ndarray:
    """Share of each of size x size cells that a box covers, (size, size)."""
    left, top, right, bottom = (size * edge for edge in box)
    at = np.arange(size)
    across, down = ((np.minimum(at + 1, b) - np.maximum(at, a)).clip(0) for a, b in ((left, right), (top, bottom)))
    return np.outer(down, across)


class Painter:
    """Pictures of tasks by TinyScenes, with regions or without."""

    def __init__(self) -> None:
        self.model, clip, self.vae = load()
        self.clip, self.judge = track_phrases(clip), judge.load()
        self.empty = encode(self.clip, [""])

    def outcome(self, task: Task, setting: Setting, seed: int) -> Outcome:
        """With a region for each object; strength 0 and outside 0 leave the model as it is."""
        return self._judged(task, self.patched(task, setting), self._encoded(task.scene), seed)

    def by_set_mask(self, task: Task, seed: int) -> Outcome:
        """By the host alone: a prompt for the whole, and one with a single object in each region."""
        from nodes import ConditioningSetMask

        positive = self._encoded(task.scene)
        for thing, box in zip(task.scene.things, task.boxes, strict=True):
            alone = self._encoded(replace(task.scene, things=(thing,)))
            positive = [*positive, *ConditioningSetMask().append(alone, drawn(box), "default", 1.0)[0]]
        return self._judged(task, self.model, positive, seed)

    def patched(self, task: Task, setting: Setting):
        """The model with a region for each object's words."""
        regions = []
        for thing, box in zip(task.scene.things, task.boxes, strict=True):
            mask = None if setting.follow else drawn(box)
            regions.append(Region(phrase(thing), mask, setting.strength, setting.outside, focus=setting.focus))
        return place_regions(self.model, tuple(regions), RegionSettings())

    def _encoded(self, scene: Scene) -> list:
        return tagged(self.clip, prompt(scene))

    def _judged(self, task: Task, model, positive: list, seed: int) -> Outcome:
        pictures = paint(model, self.vae, positive, self.empty, [seed])
        (reading,), scene = judge.read(self.judge, pictures), task.scene
        pairs = list(zip(scene.things, task.boxes, strict=True))
        verdicts = tuple(verdict(thing, box, reading, scene) for thing, box in pairs)
        kept = reading.background == scene.background, reading.style == scene.style
        return Outcome(task, pictures[0], verdicts, len(reading.things), *kept)


def drawn(box: Box) -> Tensor:
    """(1, H, W)."""
    return torch.from_numpy(fill(box, SIZE)).float()[None]


def verdict(thing: Thing, box: Box, reading: judge.Reading, scene: Scene) -> str:
    """What became of one object of a scene: "placed" or one of FAILURES.

    All that has its shape and colour counts as the object, so that a second one outside the region spoils the first.
    double: several, not INSIDE; elsewhere: one, not INSIDE; mixed: only its shape in another colour or its colour on
    another shape (what looks like another object of the scene counts in this one's region alone); missing: neither.
    """
    own = reading.of(thing.shape, thing.colour)
    if own:
        if inside(sum(found.cells.astype(int) for found in own), box):
            return "placed"
        return "double" if len(own) > 1 else "elsewhere"
    asked = {(other.shape, other.colour) for other in scene.things}
    half = [found for found in reading.things if found.shape == thing.shape or found.colour == thing.colour]
    mixed = any((found.shape, found.colour) not in asked or inside(found.cells, box) for found in half)
    return "mixed" if mixed else "missing"


def inside(cells: np.ndarray, box: Box) -> bool:
    """Whether enough of an object's cells (16, 16) lie in a region."""
    return (cells * fill(box, judge.CELLS)).sum() >= INSIDE * cells.sum()


def outlined(outcome: Outcome) -> Tensor:
    """The picture (H, W, 3) with a frame around each region, in its object's colour."""
    sheet = Image.fromarray((outcome.picture.numpy() * 255).round().astype(np.uint8))
    pen = ImageDraw.Draw(sheet)
    for thing, box in zip(outcome.task.scene.things, outcome.task.boxes, strict=True):
        left, top, right, bottom = (round(edge * SIZE) for edge in box)
        colour = tuple(round(255 * value) for value in COLOURS[thing.colour])
        pen.rectangle((left, top, right - 1, bottom - 1), outline="black", width=4)
        pen.rectangle((left + 1, top + 1, right - 2, bottom - 2), outline=colour, width=2)
    return torch.from_numpy(np.array(sheet)).float() / 255
