"""Ways to ask for an edit, and pictures of them by TinyScenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..demo import judge
from ..demo.model import load
from ..demo.scenes import SIZE
from ..patches.run.concepts import Concept
from ..patches.run.window import Window
from ..patches.semantic import SemanticSettings, guide
from .edit_cases import Case
from .paint import encode, paint

REACH = 4.5  # cells from the middle of a free place to its edge


@dataclass(frozen=True)
class Recipe:
    """How an edit is asked for; the defaults are the nodes'."""

    text: str = "sentence"
    """Property of a case that is the concept's text."""
    removed: str = ""
    """Property whose text a second concept of the same settings removes."""
    against: str = "prompt"
    """What the nodes' "auto" comes to: all texts of a batch share one conditioning, which cannot be tracked."""
    scale: float = 5.0
    start: float = 0.2
    threshold: float = 0.0
    mask: str = "sega"
    place: str = ""
    """The concepts' MASK, drawn by the unedited picture: "free" of objects (a disc), "around" them, or none."""


DEFAULT = Recipe()
SOURCE = Recipe(against="empty", threshold=0.9)
TUNED = {
    "style": Recipe("words", against="empty", scale=7.0, start=0.3, threshold=0.5),
    "texture": Recipe(against="empty", start=0.25, threshold=0.9),
    "background": Recipe(removed="text", against="empty", scale=8.0, start=0.1, mask="none", place="around"),
    "object": Recipe(removed="text", against="empty", scale=8.0, start=0.1, mask="none", place="free"),
}
REMOVE = Recipe("text", scale=7.0, start=0.1, against="prompt")


class Editor:
    """TinyScenes and its judge. All cases are painted in one batch, each with its own texts and seed."""

    def __init__(self) -> None:
        self.model, self.clip, self.vae = load()
        self.judge = judge.load()

    def read(self, pictures: Tensor) -> list[judge.Reading]:
        return judge.read(self.judge, pictures)

    def paint(self, texts: Sequence[str], seeds: list[int], negative: Sequence[str] = ("",), model=None) -> Tensor:
        """(N, 128, 128, 3)."""
        both = (encode(self.clip, list(side)) for side in (texts, negative))
        return paint(model or self.model, self.vae, *both, seeds)

    def edit(
        self,
        cases: list[Case],
        seeds: list[int],
        recipes: Sequence[Recipe],
        before: Sequence[judge.Reading] = (),
        texts: Sequence[str] = (),
    ) -> Tensor:
        """With the concepts of all recipes, masked as the first says. texts: prompts other than the cases' own."""
        concepts = [concept for recipe in recipes for concept in self._concepts(cases, recipe, before)]
        settings = SemanticSettings(mask=recipes[0].mask, against=recipes[0].against)
        model, _ = guide(self.model, tuple(concepts), settings)
        return self.paint(texts or [case.text for case in cases], seeds, model=model)

    def _concepts(self, cases: list[Case], recipe: Recipe, before: Sequence[judge.Reading]) -> list[Concept]:
        mask = torch.stack([PLACES[recipe.place](_taken(reading)) for reading in before]) if recipe.place else None
        given = dict(scale=recipe.scale, window=Window(recipe.start, 1.0), threshold=recipe.threshold, mask=mask)
        sides = [(recipe.text, False), (recipe.removed, True)]
        texts = [([getattr(case, name) for case in cases], remove) for name, remove in sides if name]
        return [Concept(encode(self.clip, text), remove, **given) for text, remove in texts]


def _taken(reading: judge.Reading) -> np.ndarray:
    """Cells (16, 16) with an object in them."""
    return np.any([np.zeros((judge.CELLS, judge.CELLS), bool), *(thing.cells for thing in reading.things)], 0)


def _free(taken: np.ndarray) -> Tensor:
    """MASK (128, 128): a disc as far from all objects as can be."""
    down, across = np.mgrid[0 : judge.CELLS, 0 : judge.CELLS]
    spots = [(y, x) for y in range(4, judge.CELLS - 4) for x in range(4, judge.CELLS - 4)]
    gap = {spot: np.hypot(down - spot[0], across - spot[1])[taken].min(initial=judge.CELLS) for spot in spots}
    y, x = max(gap, key=gap.get)
    return _mask(np.hypot(down - y, across - x) < REACH)


def _around(taken: np.ndarray) -> Tensor:
    """MASK (128, 128): all but the objects."""
    return _mask(~taken)


def _mask(cells: np.ndarray) -> Tensor:
    side = SIZE // judge.CELLS
    return torch.from_numpy(cells).float().repeat_interleave(side, 0).repeat_interleave(side, 1)


PLACES = {"free": _free, "around": _around}
