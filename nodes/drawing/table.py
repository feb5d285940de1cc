"""Regions as text: a line per phrase."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...attention.quote import short

FORM = "phrase | strength | outside | #rrggbb"
RGB = tuple[int, int, int]

_MOST = 3.0  # the largest strength and outside


@dataclass(frozen=True)
class Line:
    """One phrase of the table."""

    number: int
    """In the text, from 1, as an editor counts."""
    phrase: str
    strength: float
    outside: float
    colour: RGB | None = None


def read_table(text: str, strength: float, outside: float) -> list[Line]:
    """Lines `phrase | strength | outside | #rrggbb`; blank ones and those that start with // are left out.

    All but the phrase may be missing or empty: `strength` and `outside` stand in for numbers. A field that starts with
    # is the colour wherever it stands after the phrase. ValueError names the line that cannot be read.
    """
    rows = [(number, row.strip()) for number, row in enumerate(text.splitlines(), 1)]
    lines = [_read(number, row, (strength, outside)) for number, row in rows if row and not row.startswith("//")]
    if not lines:
        raise ValueError(f"The table names no phrase; write a line for each, as in '{FORM}' or just the phrase.")
    return lines


def read_colour(text: str) -> RGB:
    """'#rrggbb' as three numbers 0..255."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", text.strip()):
        raise ValueError(f"'{short(text)}' is not a colour; write # and six hexadecimal digits, such as #ff8800.")
    return tuple(bytes.fromhex(text.strip()[1:]))


def write_colour(colour: RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _read(number: int, row: str, defaults: tuple[float, float]) -> Line:
    phrase, *fields = (field.strip() for field in row.split("|"))
    colours = [field for field in fields if field.startswith("#")]
    numbers = [field for field in fields if not field.startswith("#")]
    if not phrase:
        raise ValueError(
            f"Line {number} '{short(row)}' has no phrase; begin it with words of the prompt, as in '{FORM}'."
        )
    if len(colours) > 1 or len(numbers) > 2:
        raise ValueError(f"Line {number} '{short(row)}' has too many fields; write at most '{FORM}'.")
    if colours and not re.fullmatch("#[0-9a-fA-F]{6}", colours[0]):
        raise ValueError(
            f"Line {number} '{short(row)}' has no colour in '{short(colours[0])}'; write # and six digits: #ff8800."
        )
    given = [_number(number, row, field) if field else None for field in [*numbers, "", ""][:2]]
    strength, outside = (default if value is None else value for value, default in zip(given, defaults, strict=True))
    return Line(number, phrase, strength, outside, read_colour(colours[0]) if colours else None)


def _number(number: int, row: str, field: str) -> float:
    if not re.fullmatch(r"\d*\.?\d+|\d+\.", field) or float(field) > _MOST:
        raise ValueError(
            f"Line {number} '{short(row)}' has '{short(field)}' where a strength from 0 to {_MOST:g} belongs; "
            f"write it as in 'red cat | 0.5', and a colour with a # before it."
        )
    return float(field)
