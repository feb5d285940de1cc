"""What a drawing is made of. All places are shares of the picture: (0, 0) top left, (1, 1) bottom right."""

from __future__ import annotations

from dataclasses import dataclass

from .table import RGB

Point = tuple[float, float]


@dataclass(frozen=True)
class Stroke:
    """A line of a round brush; one point is a dot."""

    points: tuple[Point, ...]
    size: float
    """Diameter, in shares of the picture's shorter side."""
    erase: bool = False
    """Takes away what was there before."""


@dataclass(frozen=True)
class Drawn:
    """One region of a drawing: a base shape, if there is one, and the strokes over it in their order."""

    phrase: str
    kind: str = ""
    """'box', 'ellipse', 'polygon', or '' for strokes alone."""
    points: tuple[Point, ...] = ()
    """The two opposite corners of a box, or of the box around an ellipse; the corners of a polygon."""
    strokes: tuple[Stroke, ...] = ()
    strength: float = 0.5
    outside: float = 0.0
    soft: float = 0.0
    """Width of the soft edge, in shares of the picture's shorter side."""
    colour: RGB | None = None
    focus: float = 0.0
