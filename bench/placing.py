"""Objects of TinyScenes asked for in regions, painted, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations, product

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ..attention.regions import Region
from ..demo import judge
from ..demo.captions import prompt, thing_words
from ..demo.model import load
from ..demo.scenes import COLOURS, SIZE, Scene, Thing, random_scene
from ..demo.train.data import TEST_SEED
from ..patches.regions import RegionSettings, place_regions
from ..patches.run.track import track_phrases
from ..patches.run.window import Window
from .paint import encode, paint

INSIDE = 0.6  # share of an object's cells that must lie in its region
FAILURES = ("double", "elsewhere", "mixed", "missing")
Box = tuple[float, float, float, float]  # left, top, right, bottom as shares of the picture


@dataclass(frozen=True)
class Setting:
    """Strength and outside of every region, and what may differ from Region Attention's defaults."""

    strength: float = 0.5
    outside: float = 0.0
    weight_function: str = "spatial_control"
    end: float = 1.0


@dataclass(frozen=True)
class Task:
    """A scene of two objects to ask for, and a region for each."""

    scene: Scene
    kind: str
    """Of region."""
    boxes: tuple[Box, Box]


@dataclass(frozen=True)
class Outcome:
    """A picture (H, W, 3) of a task, what became of its objects, and how many things are in it."""

    task: Task
    picture: Tensor
    verdicts: tuple[str, ...]
    things: int


def layouts() -> dict[str, list[tuple[Box, Box]]]:
    """Ordered pairs of halves, of thirds (columns or rows) and of corners."""

    def strips(parts: int) -> list[tuple[Box, Box]]:
        columns = [(i / parts, 0.0, (i + 1) / parts, 1.0) for i in range(parts)]
        rows = [(0.0, i / parts, 1.0, (i + 1) / parts) for i in range(parts)]
        return [*permutations(columns, 2), *permutations(rows, 2)]

    corners = [(x, y, x + 0.5, y + 0.5) for x, y in product((0.0, 0.5), repeat=2)]
    return {"halves": strips(2), "thirds": strips(3), "corners": list(permutations(corners, 2))}


def tasks(first: int, count: int) -> list[Task]:
    """Held-out scenes, from number `first` on, of two objects that differ in shape and colour; kinds take turns.

    They are told without a relation.
    """
    found, pairs = [], layouts()
    while len(found) < count:
        scene = random_scene(np.random.default_rng((TEST_SEED, 2, first)), 2)
        (a, b), first = scene.things, first + 1
        if a.shape != b.shape and a.colour != b.colour:
            turn, at = divmod(len(found), len(pairs))
            kind = list(pairs)[at]
            found.append(Task(replace(scene, relation="and"), kind, pairs[kind][turn % len(pairs[kind])]))
    return found


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

    def outcomes(self, task: Task, setting: Setting, seeds: list[int]) -> list[Outcome]:
        """One for each seed."""
        positive = self.clip.encode_from_tokens_scheduled(self.clip.tokenize(prompt(task.scene)))
        pictures = paint(self.patched(task, setting), self.vae, positive, self.empty, seeds)
        readings = judge.read(self.judge, pictures)
        return [judged(task, picture, reading) for picture, reading in zip(pictures, readings, strict=True)]

    def patched(self, task: Task, setting: Setting):
        """The model with a region for each object's words; strength 0 and outside 0 leave it as it is."""
        regions = []
        for thing, box in zip(task.scene.things, task.boxes, strict=True):
            mask = torch.from_numpy(fill(box, SIZE)).float()[None]  # (1, H, W)
            phrase = thing_words(thing).partition(" ")[2]  # without its article
            regions.append(Region(phrase, mask, setting.strength, setting.outside))
        settings = RegionSettings(setting.weight_function, window=Window(0.0, setting.end))
        return place_regions(self.model, tuple(regions), settings)


def judged(task: Task, picture: Tensor, reading: judge.Reading) -> Outcome:
    pairs = zip(task.scene.things, task.boxes, strict=True)
    return Outcome(task, picture, tuple(verdict(thing, box, reading) for thing, box in pairs), len(reading.things))


def verdict(thing: Thing, box: Box, reading: judge.Reading) -> str:
    """What became of one object: "placed" or one of FAILURES.

    All that has its shape and colour counts as the object, so that a second one outside the region spoils the first.
    double: several, not INSIDE; elsewhere: one, not INSIDE; mixed: only its shape in another colour or its colour on
    another shape; missing: neither.
    """
    own = [found for found in reading.things if (found.shape, found.colour) == (thing.shape, thing.colour)]
    if own:
        cells = sum(found.cells.astype(int) for found in own)
        if (cells * fill(box, judge.CELLS)).sum() >= INSIDE * cells.sum():
            return "placed"
        return "double" if len(own) > 1 else "elsewhere"
    half = any(found.shape == thing.shape or found.colour == thing.colour for found in reading.things)
    return "mixed" if half else "missing"


def outlined(outcome: Outcome) -> Tensor:
    """The picture (H, W, 3) with a frame around each region, in its object's colour."""
    drawn = Image.fromarray((outcome.picture.numpy() * 255).round().astype(np.uint8))
    pen = ImageDraw.Draw(drawn)
    for thing, box in zip(outcome.task.scene.things, outcome.task.boxes, strict=True):
        left, top, right, bottom = (round(edge * SIZE) for edge in box)
        colour = tuple(round(255 * value) for value in COLOURS[thing.colour])
        pen.rectangle((left, top, right - 1, bottom - 1), outline="black", width=4)
        pen.rectangle((left + 1, top + 1, right - 2, bottom - 2), outline=colour, width=2)
    return torch.from_numpy(np.array(drawn)).float() / 255
