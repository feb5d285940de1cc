"""Reads a drawing: JSON, written by the canvas, by hand or by a program. See js/docs/LM_RegionCanvas.md."""

from __future__ import annotations

import json

from ...attention.quote import listed, short
from .fields import corners, known, number, places, shown
from .shapes import Drawn, Point, Stroke
from .table import RGB, read_colour

REGIONS = 64
LETTERS = 1_000_000
POINTS = 20_000

_BASES = ("box", "ellipse", "polygon")
_KEYS = ("phrase", *_BASES, "strokes", "strength", "outside", "focus", "soft", "colour")


def read_drawing(text: str) -> list[Drawn]:
    """The regions of a drawing, none for an empty text. ValueError names the region that cannot be read."""
    if len(text) > LETTERS:
        raise ValueError(f"The drawing has {len(text)} characters, but at most {LETTERS} are read; draw less.")
    entries = _entries(_json(text)) if text.strip() else []
    if len(entries) > REGIONS:
        raise ValueError(f"The drawing has {len(entries)} regions, but at most {REGIONS} are read; draw fewer.")
    regions = [_named(n, entry) for n, entry in enumerate(entries, 1)]
    points = sum(len(region.points) + sum(len(stroke.points) for stroke in region.strokes) for region in regions)
    if points > POINTS:
        raise ValueError(f"The drawing has {points} points, but at most {POINTS} are read; draw with fewer strokes.")
    return regions


def _json(text: str) -> object:
    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not a number that it may hold")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise ValueError("The drawing cannot be read: its brackets are nested too deep.") from None
    except ValueError as error:
        raise ValueError(f"The drawing cannot be read as JSON: {short(str(error)).rstrip('.')}.") from None


def _entries(given: object) -> list:
    if isinstance(given, dict):
        known(given, ("regions",), "The drawing")
        given = given.get("regions", [])
    if not isinstance(given, list):
        raise ValueError(f'The drawing is {shown(given)}, but it must be {{"regions": [...]}} or a list of regions.')
    return given


def _named(n: int, entry: object) -> Drawn:
    if not isinstance(entry, dict):
        raise ValueError(
            f'Region {n}: it is {shown(entry)}, but it must be a group such as {{"phrase": "red dog", '
            '"box": [0, 0, 0.5, 1]}.'
        )
    phrase = entry.get("phrase", "")
    name = f"Region {n} '{short(phrase)}'" if isinstance(phrase, str) and phrase.strip() else f"Region {n}"
    try:
        return _region(entry, phrase)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _region(entry: dict, phrase: object) -> Drawn:
    known(entry, _KEYS, "it")
    if not isinstance(phrase, str):
        raise ValueError(f"its phrase is {shown(phrase)}, but it must be a text.")
    if not phrase.strip():
        raise ValueError("it has no phrase; give it words of the prompt, or delete it.")
    kind, points = _base(entry)
    strokes = _strokes(entry.get("strokes", []))
    if not kind and not any(not stroke.erase for stroke in strokes):
        raise ValueError(f"it has no shape; give it one of {', '.join(_BASES)}, or strokes that do not erase.")
    return Drawn(
        phrase.strip(),
        kind,
        points,
        strokes,
        number(entry.get("strength", 0.5), "its strength", 0, 3),
        number(entry.get("outside", 0), "its outside", 0, 3),
        number(entry.get("soft", 0), "its soft", 0, 0.5),
        _colour(entry.get("colour")),
        number(entry.get("focus", 0), "its focus", 0, 3),
    )


def _base(entry: dict) -> tuple[str, tuple[Point, ...]]:
    kinds = [kind for kind in _BASES if kind in entry]
    if len(kinds) > 1:
        raise ValueError(f"it has {listed(kinds)}; give it one of them, and strokes for the rest.")
    if not kinds:
        return "", ()
    (kind,) = kinds
    value = entry[kind]
    return kind, places(value, "its polygon", 3) if kind == "polygon" else corners(value, f"its {kind}")


def _strokes(given: object) -> tuple[Stroke, ...]:
    if not isinstance(given, list):
        raise ValueError(f"its strokes are {shown(given)}, but they must be a list.")
    return tuple(_stroke(stroke, f"stroke {n}") for n, stroke in enumerate(given, 1))


def _stroke(given: object, name: str) -> Stroke:
    if not isinstance(given, dict):
        raise ValueError(
            f'{name} is {shown(given)}, but it must be a group such as {{"size": 0.05, "points": [[0.5, 0.5]]}}.'
        )
    known(given, ("size", "erase", "points"), name)
    erase = given.get("erase", False)
    if not isinstance(erase, bool):
        raise ValueError(f"{name}'s erase is {shown(erase)}, but it must be true or false.")
    size = number(given.get("size", 0.05), f"{name}'s size", 0.001, 2)
    return Stroke(places(given.get("points"), f"{name}'s points", 1), size, erase)


def _colour(given: object) -> RGB | None:
    if given is not None and not isinstance(given, str):
        raise ValueError(f"its colour is {shown(given)}, but it must be a text such as '#e03030'.")
    return read_colour(given) if given else None
