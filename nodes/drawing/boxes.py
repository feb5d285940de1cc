"""Boxes of other nodes, in pixels, as drawn regions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from ...attention.quote import listed, short
from .shapes import Drawn
from .table import Line, read_colour

CORNERS, SIDES = "x1 y1 x2 y2", "x y width height"
"""How a bare list of four numbers is read."""

_SIDES = ("x", "y", "width", "height")
_ELEMENT = ("type", "desc", "text", "color_palette")  # beside a bbox: an element of core's Create Bounding Boxes


@dataclass(frozen=True)
class Box:
    """One box, read; its words and colour if it brought any."""

    place: tuple[float, float, float, float]
    """Left, top, right, bottom in shares of the picture."""
    phrase: str = ""
    colour: str = ""


def read_boxes(given: object, size: tuple[int, int], form: str = CORNERS) -> list[Box]:
    """Boxes of one picture of `size` (width, height) pixels, in whatever form nodes hand them on.

    A group with x, y, width, height (core), with bbox [x1, y1, x2, y2], or an element of Create Bounding Boxes, whose
    bbox is [ymin, xmin, ymax, xmax] in thousandths; or four numbers, read as `form` says. Alone, in a list, or in a
    list for one picture. ValueError names the box that cannot be read.
    """
    return [_named(n, box, size, form) for n, box in enumerate(_flat(_plain(given)), 1)]


def as_regions(boxes: list[Box], lines: list[Line], strength: float, outside: float, focus: float) -> list[Drawn]:
    """A region per box; the n-th line goes before what the n-th box brought."""
    if len(lines) > len(boxes):
        raise ValueError(
            f"There are {len(lines)} phrases for {len(boxes)} boxes ({listed([line.phrase for line in lines])}); give "
            "at most a line per box."
        )
    lines = [*lines, *(Line(0, box.phrase, strength, outside) for box in boxes[len(lines) :])]
    return [_region(n, box, line, focus) for n, (box, line) in enumerate(zip(boxes, lines, strict=True), 1)]


def _region(n: int, box: Box, line: Line, focus: float) -> Drawn:
    if not line.phrase:
        raise ValueError(f"Box {n} brings no words; give it a line in phrases, the {n}. one.")
    left, top, right, bottom = box.place
    colour = line.colour or (read_colour(box.colour) if box.colour else None)
    corners = ((left, top), (right, bottom))
    return Drawn(line.phrase, "box", corners, (), line.strength, line.outside, colour=colour, focus=focus)


def _plain(given: object) -> object:
    """Tensors and arrays as lists."""
    return given.tolist() if hasattr(given, "tolist") else given


def _flat(given: object) -> list:
    if isinstance(given, dict) or _four(given):
        return [given]
    if not isinstance(given, list | tuple):
        raise ValueError(f"The boxes are of the kind {type(given).__name__}, but they must be a list of boxes.")
    given = [_plain(item) for item in given]
    if not any(isinstance(item, list | tuple) and not _four(item) for item in given):
        return given
    frames = [frame for frame in given if frame]
    if len(frames) > 1:
        raise ValueError(f"There are boxes for {len(frames)} pictures; give those of one picture.")
    return [_plain(item) for frame in frames for item in frame]


def _four(given: object) -> bool:
    if not isinstance(given, list | tuple) or len(given) != 4:
        return False
    return not any(isinstance(value, list | tuple | dict) for value in given)


def _named(n: int, box: object, size: tuple[int, int], form: str) -> Box:
    words, colour = _words(box)
    try:
        left, top, right, bottom = _corners(box, size, form)
        if right <= left or bottom <= top:
            raise ValueError("has no area; make its width and height larger than 0.")
    except ValueError as error:
        name = f"Box {n} '{short(words)}'" if words else f"Box {n}"
        raise ValueError(f"{name} {error}") from None
    return Box((left, top, right, bottom), words, colour)


def _corners(box: object, size: tuple[int, int], form: str) -> tuple[float, ...]:
    if isinstance(box, dict) and all(side in box for side in _SIDES):
        x, y, width, height = _numbers(box[side] for side in _SIDES)
        return _shares((x, y, x + width, y + height), size)
    if isinstance(box, dict) and _four(box.get("bbox")):
        numbers = _numbers(box["bbox"])
        if any(key in box for key in _ELEMENT):
            top, left, bottom, right = (value / 1000 for value in numbers)
            return left, top, right, bottom
        return _shares(numbers, size)
    if not _four(box):
        raise ValueError("cannot be read; it needs x, y, width and height, or bbox [x1, y1, x2, y2].")
    a, b, c, d = _numbers(box)
    return _shares((a, b, a + c, b + d) if form == SIDES else (a, b, c, d), size)


def _numbers(values: Iterable[object]) -> list[float]:
    values = list(values)
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and isfinite(v) for v in values):
        raise ValueError("holds something that is not a finite number; it needs four.")
    return values


def _shares(place: Iterable[float], size: tuple[int, int]) -> tuple[float, ...]:
    return tuple(value / size[i % 2] for i, value in enumerate(place))


def _words(box: object) -> tuple[str, str]:
    """What a box says about itself: (phrase, '#rrggbb'), each '' if nothing."""
    if not isinstance(box, dict):
        return "", ""
    more = box.get("metadata")
    said = {**box, **more} if isinstance(more, dict) else box
    phrase = next((said[key] for key in ("text", "desc", "label") if _text(said.get(key))), "")
    colours = said.get("palette") or said.get("color_palette") or [""]
    return phrase.strip(), colours[0] if isinstance(colours, list) and isinstance(colours[0], str) else ""


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
