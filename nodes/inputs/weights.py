"""The numbers of a region, as inputs of the nodes that make regions."""

from __future__ import annotations

from comfy_api.latest import io

STRENGTH, OUTSIDE, FOCUS = 0.5, 0.5, 1.0
"""With which most pictures show just what was asked for on TinyScenes (bench/regions.py); source 003 has 0.5, 0, 0."""


def weights(whose: str, advanced: bool = False) -> list[io.Float.Input]:
    """strength, outside and focus, 0..3; `whose` is a sentence on what the first two are for.

    advanced: whether all but strength are.
    """
    return [
        _number(
            "strength",
            STRENGTH,
            f"How much the inside of the region is drawn to the phrase, 0..3.{whose} Neutral: 0 (off, if outside is 0 "
            "too).",
        ),
        _number(
            "outside",
            OUTSIDE,
            f"How much the rest of the picture is pushed away from the phrase, 0..3.{whose} Neutral: 0.",
            display_name="push away outside",
            advanced=advanced,
        ),
        _number(
            "focus",
            FOCUS,
            "How much strength is gathered in the middle of the region, 0..3: one thing is drawn there instead of "
            "several all over it. Neutral: 0, alike everywhere in the region.",
            advanced=advanced,
        ),
    ]


def _number(name: str, default: float, tip: str, **more: object) -> io.Float.Input:
    return io.Float.Input(name, default=default, min=0.0, max=3.0, step=0.01, tooltip=tip, **more)
