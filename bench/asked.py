"""Scenes of TinyScenes to ask for, with a region for each object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count as count_from
from itertools import islice, permutations, product

import numpy as np

from ..demo.scenes import Scene, Thing, random_scene, random_thing
from ..demo.train.data import TEST_SEED

Box = tuple[float, float, float, float]  # left, top, right, bottom as shares of the picture


@dataclass(frozen=True)
class Task:
    """A scene to ask for, and a region for each of its objects."""

    scene: Scene
    kind: str
    """Of region."""
    boxes: tuple[Box, ...]


def layouts(things: int) -> dict[str, list[tuple[Box, ...]]]:
    """In every order: halves (for two), thirds (columns or rows) and corners."""

    def strips(parts: int) -> list[tuple[Box, ...]]:
        columns = [(i / parts, 0.0, (i + 1) / parts, 1.0) for i in range(parts)]
        rows = [(0.0, i / parts, 1.0, (i + 1) / parts) for i in range(parts)]
        return [*permutations(columns, things), *permutations(rows, things)]

    corners = [(x, y, x + 0.5, y + 0.5) for x, y in product((0.0, 0.5), repeat=2)]
    halves = {"halves": strips(2)} if things == 2 else {}
    return halves | {"thirds": strips(3), "corners": list(permutations(corners, things))}


def tasks(first: int, count: int, kind: str = "two") -> list[Task]:
    """Held-out scenes, from number `first` on, told without a relation; kinds of regions take turns.

    two: two objects that differ in shape and colour. three: and a third that differs from both. alike: two of one
    shape, told apart by their colours.
    """
    found = []
    for things, scene in islice(_KINDS[kind](first), count):
        turn, at = divmod(len(found), len(pairs := layouts(len(things))))
        name, places = list(pairs.items())[at]
        asked = replace(scene, things=things, relation="and")
        found.append(Task(asked, name, places[turn % len(places)]))
    return found


def _two(first: int) -> Iterator[tuple[tuple[Thing, ...], Scene]]:
    for number in count_from(first):
        scene = random_scene(np.random.default_rng((TEST_SEED, 2, number)), 2)
        if _differ(*scene.things):
            yield scene.things, scene


def _three(first: int) -> Iterator[tuple[tuple[Thing, ...], Scene]]:
    for (a, b), scene in _two(first):
        rng = np.random.default_rng((TEST_SEED, 3, scene.seed))
        c = random_thing(rng, 0, 0, 1)
        while not (_differ(a, c) and _differ(b, c)):
            c = random_thing(rng, 0, 0, 1)
        yield (a, b, c), scene


def _alike(first: int) -> Iterator[tuple[tuple[Thing, ...], Scene]]:
    for (a, b), scene in _two(first):
        yield (a, replace(b, shape=a.shape)), scene


_KINDS = {"two": _two, "three": _three, "alike": _alike}


def _differ(a: Thing, b: Thing) -> bool:
    return a.shape != b.shape and a.colour != b.colour
