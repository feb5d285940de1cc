"""Chains of nodes on TinyScenes with its ControlNet and IP-Adapter: what is asked for, painted and judged."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from ..attention.readout import ReadOut, read_out
from ..demo import adapter, control, judge
from ..demo.captions import thing_words
from ..demo.scenes import SIZE, Scene, Thing
from ..patches.run.maps import Maps
from . import outlines
from .asked import Box, tasks
from .keeping import OTSU
from .looks import adapted, pictures, references
from .paint import paint, tagged
from .placing import Painter, Setting, drawn, verdict

ROOM = 8  # pixels around an outline, as a user draws a region


@dataclass(frozen=True)
class Wish:
    """One picture: what it shall show, where, and the scene whose look it shall have."""

    scene: Scene
    boxes: tuple[Box, ...]
    look: Scene
    seed: int

    @property
    def text(self) -> str:
        """The things alone: the look says what is behind them."""
        return " and ".join(thing_words(thing) for thing in self.scene.things)


def outlined(first: int, count: int, seed: int) -> list[Wish]:
    """Two things of one shape and two colours, a region around each outline."""
    looks = references(first, count)
    scenes = [scene for scene in outlines.scenes(first, 4 * count) if len(scene.things) == 2]
    wishes = []
    for scene in scenes:
        one, other = scene.things
        if one.colour != other.colour and len(wishes) < count:
            alike = replace(scene, things=(one, replace(other, shape=one.shape)), relation="and")
            wishes.append(Wish(alike, tuple(map(around, alike.things)), looks[len(wishes)], seed + len(wishes)))
    return wishes


def placed(first: int, count: int, seed: int) -> list[Wish]:
    """Two things in regions that leave room for a background."""
    asked = [task for task in tasks(first, 2 * count) if task.kind != "halves"][:count]
    pairs = zip(asked, references(first, count), strict=True)
    return [Wish(task.scene, task.boxes, look, seed + i) for i, (task, look) in enumerate(pairs)]


def seen(maps: Maps, words: str) -> Tensor:
    """(1, 128, 128): the refined mask of a phrase in a handle's last run."""
    return read_out(maps.runs[-1], (words,), (SIZE, SIZE), ReadOut(OTSU, refine=1)).mask


def around(thing: Thing) -> Box:
    """The region of an outlined thing."""
    edges = (edge + side * ROOM for edge, side in zip(thing.box, (-1, -1, 1, 1), strict=True))
    return tuple(min(max(edge / SIZE, 0.0), 1.0) for edge in edges)


def outside(boxes: tuple[Box, ...]) -> Tensor:
    """MASK (1, H, W): the picture but for the boxes, as Region Canvas gives the rest."""
    return (1 - sum(drawn(box) for box in boxes)).clamp(0, 1)


class Chains(Painter):
    """Pictures by chains of nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.control, self.adapter = control.load(), adapter.load()

    def make(self, wish: Wish, *parts: str) -> tuple[Tensor, judge.Reading]:
        """The picture (H, W, 3) by the parts that are on: regions, outlines, look (the IP-Adapter, beside regions)."""
        model = self.patched(wish, Setting()) if "regions" in parts else self.model
        if "look" in parts:
            mask = outside(wish.boxes)
            model = adapted(model, self.adapter, pictures([wish.look]), attn_mask=mask)
        sides = tagged(self.clip, wish.text), self.empty
        if "outlines" in parts:
            sides = outlines.controlled(sides, self.control, outlines.hints([wish.scene]))
        made = paint(model, self.vae, *sides, [wish.seed])
        return made[0], judge.read(self.judge, made)[0]


def figures(wishes: list[Wish], readings: list[judge.Reading]) -> dict[str, float]:
    """outline: mean IoU; colours, placed: shares of the things; look: share of pictures with the look's background."""
    pairs = list(zip(wishes, readings, strict=True))
    kinds = [
        verdict(thing, box, reading, wish.scene)
        for wish, reading in pairs
        for thing, box in zip(wish.scene.things, wish.boxes, strict=True)
    ]
    return {
        "outline": float(np.mean([outlines.followed(wish.scene, reading) for wish, reading in pairs])),
        "colours": float(np.mean([ok for wish, reading in pairs for ok in outlines.coloured(wish.scene, reading)])),
        "placed": kinds.count("placed") / len(kinds),
        "look": float(np.mean([reading.background == wish.look.background for wish, reading in pairs])),
    }
