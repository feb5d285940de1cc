"""Moves CONDITIONING along a text direction (SOURCES 004): every text of it, pooled vector, attention masks."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch
from torch import Tensor

from ..attention.phrases import Tag, positions
from .run.during import Entry, during
from .run.text_mean import mean_text
from .run.text_rows import FIRST, Path, check_widths, moved_rows, moved_vectors, united
from .run.texts import FIXED, MASKS, POOLED, ROWS, TEXT
from .run.track import read_tag

_LOG = logging.getLogger(__name__)
UNMOVED = "No text of base acts between start and end percent, so it did nothing; widen them."
MEAN = "mean of target - neutral"
DIRECTIONS = ("auto", "target - base", "target - neutral", MEAN)


@dataclass(frozen=True)
class TextMove:
    """How far (theta, 0 = off), along which path and direction, which rows ('' = all), and when."""

    theta: float
    mode: str = "per_token"
    direction: str = "auto"
    phrase: str = ""
    norm_limit: float = 1.5
    start_percent: float = 0.0
    end_percent: float = 1.0


def move_text(base: list[Entry], target: list[Entry], neutral: list[Entry] | None, how: TextMove) -> list[Entry]:
    """`base` with the text of each entry moved; what goes in stays unchanged, and theta 0 gives `base` itself.

    Each entry is paired with the one at its place in target and neutral where they have as many entries, else with
    their first; direction MEAN: with the mean of all their entries. ValueError: encodings that do not fit together, a
    phrase that is not there.
    """
    if how.theta == 0:
        return base
    _check(target, neutral, how)
    if how.direction == MEAN:
        target, neutral = [mean_text(target, "target")], [mean_text(neutral, "neutral")]
    along = neutral if how.direction != "target - base" else None
    out = []
    for i, entry in enumerate(base):
        goal, origin, filler = (side and side[i if len(side) == len(base) else 0] for side in (target, along, neutral))
        check_widths("texts", [side[0] for side in (entry, goal, filler) if side])
        moved = goal_text(entry, goal) if _reaches(how, origin) else _moved(entry, goal, origin, filler, how)
        out += during(entry, moved, how.start_percent, how.end_percent)
    if all(one is entry for one, entry in zip(out, base, strict=False)):
        _LOG.warning("CLIP Slerp Augment: %s", UNMOVED)
    return out


def goal_text(entry: Entry, target: Entry) -> Entry:
    """`entry` with target's text: all that the text encoder made of it, and its words (Track Phrases)."""
    keys = {key: value for key, value in entry[1].items() if key not in TEXT}
    return [target[0], {**keys, **{key: target[1][key] for key in TEXT if key in target[1]}}]


def moving_rows(phrase: str, tag: Tag, length: int) -> Tensor:
    """(length,) bool: the rows of every occurrence of the phrase, and every row without text behind the first word.

    A CLIP encoder reads left to right: its end and padding rows have seen the whole prompt and carry its sense.
    """
    text = {piece.row for encoder in tag.encoders for piece in encoder.pieces if piece.row is not None}
    found = {row for rows in positions(phrase, tag) for row in rows}
    end = set(range(min(text), tag.rows)) - text
    rows = torch.zeros(length, dtype=torch.bool)
    rows[[row for row in found | end if row < length]] = True
    return rows


def _check(target: list[Entry], neutral: list[Entry] | None, how: TextMove) -> None:
    if 0 < how.norm_limit < 1:
        raise ValueError(
            f"norm_limit {how.norm_limit:g} would shorten base and target themselves; use 1 or more, or 0 for no limit."
        )
    if how.direction in ("target - neutral", MEAN) and neutral is None:
        raise ValueError(f"Direction '{how.direction}' needs neutral; connect one or set direction to 'auto'.")
    for name, side in (("target", target), ("neutral", neutral)):
        if side is not None and not side:
            raise ValueError(
                f"The conditioning at {name} holds no text at all; connect the output of a text encode node."
            )
    if how.direction == MEAN and len(target) != len(neutral):
        raise ValueError(
            f"Direction '{MEAN}' needs pairs, but target holds {len(target)} prompts and neutral {len(neutral)}; "
            "combine as many without the style as with it, in the same order."
        )


def _reaches(how: TextMove, origin: Entry | None) -> bool:
    """Whether the result is the target itself, rather than base plus a direction or only some rows of it."""
    return how.theta == 1 and origin is None and not how.phrase.strip()


def _moved(entry: Entry, target: Entry, origin: Entry | None, filler: Entry | None, how: TextMove) -> Entry:
    """One entry, all window long. origin: where the direction starts, None = at the entry itself."""
    sides, path = [side for side in (entry, target, origin) if side], Path(how.theta, how.mode, how.norm_limit)
    rows = None
    if how.phrase.strip():
        rows = moving_rows(how.phrase, read_tag(entry[1]), entry[0].shape[1])
    more = _more(sides, filler, path, how.phrase.strip())
    text = moved_rows([side[0] for side in sides], filler and filler[0], path, FIRST, rows)
    return [text, {**entry[1], **_pooled(sides, path), **more, **_masks(sides)}]


def _pooled(sides: list[Entry], path: Path) -> dict[str, Tensor]:
    """The pooled vector, moved alike; base's stays where another side has none."""
    vectors = [side[1].get(POOLED) for side in sides]
    if any(vector is None for vector in vectors):
        return {}
    check_widths("pooled vectors", vectors)
    rows = [vector.unsqueeze(1).to(vectors[0].device) for vector in vectors]  # (B, 1, D)
    return {POOLED: moved_vectors(rows, path).squeeze(1)}


def _more(sides: list[Entry], filler: Entry | None, path: Path, phrase: str) -> dict[str, Tensor]:
    """The further texts, moved alike; one stays base's where the direction (the last two sides) holds nothing of it.

    So does one that base and target share and neutral lacks: an empty prompt has no quoted words.
    """
    moved = {}
    for key in (*ROWS, *FIXED):
        texts = [side[1].get(key) for side in sides]
        if _equal(texts[-2:]) or (key in ROWS and texts[-1] is None and _equal(texts[:2])):
            continue
        if any(text is None for text in texts):
            raise ValueError(
                f"Only some of the prompts have {key}, and there is no way from a text to none; write all of them with "
                "it or none (HunyuanImage's and HunyuanVideo's is what stands in quotes), or use theta 0 or 1."
            )
        if key in FIXED or not texts[0].is_floating_point():
            raise ValueError(
                f"{key} of these prompts differs, and it holds numbers of words, between which there is nothing; use "
                "theta 0 (base) or 1 (target, with direction 'target - base' and no phrase)."
            )
        if phrase:
            raise ValueError(f"A phrase cannot be found in {key} of this model; leave phrase empty: all words move.")
        check_widths(key, texts)
        moved[key] = moved_rows(texts, filler and filler[1].get(key), path, key)
    return moved


def _equal(texts: list) -> bool:
    """Whether all sides hold the same."""
    one, *others = texts
    if torch.is_tensor(one):
        return all(torch.is_tensor(text) and torch.equal(one, text.to(one.device)) for text in others)
    if isinstance(one, list | tuple):
        fits = all(isinstance(text, list | tuple) and len(text) == len(one) for text in others)
        return fits and all(map(_equal, map(list, zip(*texts, strict=True))))
    if isinstance(one, dict):
        fits = all(isinstance(text, dict) and text.keys() == one.keys() for text in others)
        return fits and all(_equal([text[key] for text in texts]) for key in one)
    return all(type(text) is type(one) and text == one for text in others)


def _masks(sides: list[Entry]) -> dict[str, Tensor]:
    """The attention masks of texts that have one."""
    found = {}
    for name, key in MASKS.items():
        texts = [side[0] if name == FIRST else side[1].get(name) for side in sides]
        if any(text is None for text in texts):
            continue
        mask = united([side[1].get(key) for side in sides[:2]], texts[:2], texts, name)
        found |= {} if mask is None else {key: mask}
    return found
