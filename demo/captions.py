"""Captions of TinyScenes, from "a circle" to "a photo of a red striped star left of a ring on a beach at sunset"."""

from __future__ import annotations

import numpy as np

from .backdrops import BACKGROUNDS
from .scenes import Scene, Thing

OPENINGS = ("", "", "", "", "a photo of ", "a picture of ", "an image of ", "a drawing of ")
PLACES = {name: name for name in BACKGROUNDS} | {n: f"a {n}" for n in ("beach", "night sky", "brick wall")}
STYLE_WORDS = {
    "at sunset": ("at sunset", "during sunset"),
    "in fog": ("in fog", "in the fog"),
    "as a sketch": ("as a sketch",),
}


def article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def thing_words(thing: Thing, colour: bool = True, texture: bool = True) -> str:
    """ "a red striped circle"; colour or texture may stay unsaid."""
    words = [thing.colour] * bool(colour) + ["striped"] * bool(texture and thing.striped) + [thing.shape]
    return article(" ".join(words))


def phrase(thing: Thing) -> str:
    """ "red striped circle": the plain words without their article."""
    return thing_words(thing).partition(" ")[2]


def prompt(scene: Scene) -> str:
    """The plain, complete caption of a scene."""
    subject = f" {scene.relation} ".join(thing_words(thing) for thing in scene.things)
    place = BACKGROUNDS[scene.background] if subject else PLACES[scene.background]
    return " ".join(filter(None, (subject, place, scene.style)))


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """A natural caption: openings, left-out attributes, and captions of the subject or of the place alone."""
    say = rng.random(5)
    things = [thing_words(thing, say[0] > 0.05, say[1] > 0.05) for thing in scene.things]
    subject = f" {scene.relation} ".join(things) if scene.relation == "and" or say[2] > 0.1 else " and ".join(things)
    place, style = BACKGROUNDS[scene.background], scene.style
    if style:
        style = str(rng.choice(STYLE_WORDS[style]))
    if not things or say[3] < 0.08:  # the place alone
        subject, place = "", PLACES[scene.background]
    elif say[3] < 0.16:  # the subject alone
        place = ""
    elif say[3] < 0.2:  # keywords
        place = ", " + PLACES[scene.background]
    if say[4] < 0.06:
        style = ""
    opening = str(rng.choice(OPENINGS)) if style != "as a sketch" or say[4] < 0.6 else ""
    if style == "as a sketch" and say[4] > 0.85:
        opening, style = "a sketch of ", ""
    return " ".join((opening + " ".join(filter(None, (subject, place, style)))).replace(" ,", ",").split())


def vocabulary() -> list[str]:
    """Every word that a caption can contain."""
    from .scenes import COLOURS, RELATIONS, SHAPES

    parts = [*SHAPES, *COLOURS, *RELATIONS, *BACKGROUNDS, *BACKGROUNDS.values(), *PLACES.values(), *OPENINGS]
    parts += ["striped a an , sketch of", *(w for words in STYLE_WORDS.values() for w in words)]
    return sorted({word for part in parts for word in part.split()})
