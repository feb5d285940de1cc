"""TinyScenes of one object with an edit to make, and how an edited picture is judged beside the unedited one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import mean

import numpy as np

from ..demo.backdrops import BACKGROUNDS, STYLES
from ..demo.captions import prompt, thing_words
from ..demo.judge import Found, Reading
from ..demo.scenes import COLOURS, SHAPES, Scene, Thing, random_scene
from ..demo.train.data import TEST_SEED

KINDS = ("style", "texture", "background", "object")
PLACE = 0.6  # the least common over covered area of a kept object's cells


@dataclass(frozen=True)
class Case:
    """A plain scene of one object, and the same scene with one thing changed."""

    kind: str
    scene: Scene
    asked: Scene
    words: str
    """The edit alone: "at sunset", "striped", "on a beach", "a blue square"."""

    @property
    def text(self) -> str:
        return prompt(self.scene)

    @property
    def old(self) -> str:
        """What the prompt says in the edit's place, where it says anything."""
        return BACKGROUNDS[self.scene.background]

    @property
    def sentence(self) -> str:
        """The whole prompt with the edit in it."""
        return prompt(self.asked)


def cases(first: int, count: int, kinds: tuple[str, ...] = KINDS) -> list[Case]:
    """Held-out scenes from number `first` on, the kinds of edit in turn."""
    return [_case(i, kinds[i % len(kinds)]) for i in range(first, first + count)]


def _case(number: int, kind: str) -> Case:
    rng = np.random.default_rng((TEST_SEED, 5, number))
    scene = random_scene(rng, 1)
    thing = replace(scene.things[0], striped=False)
    scene = replace(scene, style="", things=(thing,))
    if kind == "style":
        style = str(rng.choice(STYLES[1:]))
        return Case(kind, scene, replace(scene, style=style), style)
    if kind == "texture":
        return Case(kind, scene, replace(scene, things=(replace(thing, striped=True),)), "striped")
    if kind == "background":
        other = str(rng.choice([name for name in BACKGROUNDS if name != scene.background]))
        return Case(kind, scene, replace(scene, background=other), BACKGROUNDS[other])
    second = _other(thing, rng)
    return Case(kind, scene, replace(scene, things=(thing, second)), thing_words(second))


def _other(thing: Thing, rng: np.random.Generator) -> Thing:
    """Of another shape and colour."""
    shape = str(rng.choice([name for name in SHAPES if name != thing.shape]))
    return replace(thing, shape=shape, colour=str(rng.choice([name for name in COLOURS if name != thing.colour])))


def succeeded(case: Case, after: Reading) -> bool:
    """Whether the edit is in the picture."""
    if case.kind == "style":
        return after.style == case.asked.style
    if case.kind == "background":
        return after.background == case.asked.background
    wanted = case.asked.things[-1]
    found = after.of(wanted.shape, wanted.colour)
    return any(thing.striped for thing in found) if case.kind == "texture" else bool(found)


def kept(case: Case, before: Reading, after: Reading) -> dict[str, bool]:
    """What was not asked for, by name: whether it is as in the unedited picture of the same seed."""
    same = {
        "background": before.background == after.background,
        "style": before.style == after.style,
        "object": len(before.things) == len(after.things),
    }
    same = {name: value for name, value in same.items() if name != case.kind}
    if not before.things:
        return same
    main = max(before.things, key=lambda thing: thing.cells.sum())
    now = max(after.things, key=lambda thing: overlap(main, thing), default=None)
    if now is None or not overlap(main, now):
        return same | {"shape": False, "colour": False, "place": False}
    same |= {"shape": main.shape == now.shape, "colour": main.colour == now.colour}
    return same | {"place": overlap(main, now) >= PLACE}


def overlap(one: Found, other: Found) -> float:
    """Common over covered cells."""
    return float((one.cells & other.cells).sum() / (one.cells | other.cells).sum())


def rates(cases: list[Case], before: list[Reading], after: list[Reading]) -> tuple[float, float, float, float]:
    """success, kept (share of attributes), kept_all (of pictures that keep every one), both (made, and all kept)."""
    made = [succeeded(case, reading) for case, reading in zip(cases, after, strict=True)]
    same = [kept(case, was, now) for case, was, now in zip(cases, before, after, strict=True)]
    every = [value for one in same for value in one.values()]
    whole = [all(one.values()) for one in same]
    return mean(made), mean(every), mean(whole), mean(a and b for a, b in zip(made, whole, strict=True))
