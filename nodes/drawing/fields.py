"""Single values of a drawing, held against what they may be; the messages finish a sentence about a region."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from numbers import Real

from ...attention.quote import figure, listed, short
from .shapes import Point

NEAR = (-1.0, 2.0)
"""Places may lie this far outside the picture; what lies outside does not count."""


def known(given: dict, keys: Iterable[str], what: str) -> None:
    """ValueError names the keys that nobody reads."""
    unknown = [key for key in given if key not in keys]
    if unknown:
        raise ValueError(f"{what} has the unknown key {listed(unknown)}; known are {', '.join(keys)}.")


def number(value: object, name: str, least: float, most: float) -> float:
    """A finite number in its range; booleans are none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"{name} is {shown(value)}, but it must be a number from {least:g} to {most:g}.")
    if not least <= value <= most or not isfinite(value):
        raise ValueError(f"{name} is {shown(value)}, but it must be from {least:g} to {most:g}.")
    return float(value)


def place(value: object, name: str) -> Point:
    """[x, y] in shares of the picture."""
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{name} is {shown(value)}, but it must be [x, y] in shares of the picture.")
    return number(value[0], f"{name}'s x", *NEAR), number(value[1], f"{name}'s y", *NEAR)


def places(value: object, name: str, least: int) -> tuple[Point, ...]:
    """A list of at least so many [x, y]."""
    if not isinstance(value, list) or len(value) < least:
        raise ValueError(f"{name} is {shown(value)}, but it must be a list of {least} or more [x, y].")
    return tuple(place(point, f"point {i} of {name}") for i, point in enumerate(value, 1))


def corners(value: object, name: str) -> tuple[Point, Point]:
    """[x, y, width, height] as two corners."""
    if not isinstance(value, list) or len(value) != 4:
        raise ValueError(f"{name} is {shown(value)}, but it must be [x, y, width, height] in shares of the picture.")
    x, y = number(value[0], f"{name}'s x", *NEAR), number(value[1], f"{name}'s y", *NEAR)
    width, height = (
        number(v, f"{name}'s {side}", 0, 3) for v, side in zip(value[2:], ("width", "height"), strict=True)
    )
    if not width or not height:
        raise ValueError(f"{name} is {shown(value)}, which has no area; make its width and height larger than 0.")
    return (x, y), (x + width, y + height)


def shown(value: object) -> str:
    """A value of any kind, short; lists of lists are not written out, as nobody knows how deep they go."""
    if isinstance(value, str):
        return f"'{short(value)}'"
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, list):
        plain = len(value) <= 8 and not any(isinstance(item, list | dict) for item in value)
        return f"[{', '.join(map(shown, value))}]" if plain else f"a list of {len(value)}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return figure(value)
    return {None: "null", True: "true", False: "false"}[value]
