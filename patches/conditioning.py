"""Moves CONDITIONING along a text direction (SOURCES 004): text rows, pooled vector, attention mask."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..attention.phrases import Tag, positions
from ..sampling.lengths import Blocks, blocks, lengthen, longest
from ..sampling.slerp import move
from .during import Entry, during
from .track import KEY, read_tag

DIRECTIONS = ("auto", "target - base", "target - neutral")


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
    their first. ValueError: encodings that do not fit together, a phrase that is not there, a reversed window.
    """
    if how.theta == 0:
        return base
    _check(target, neutral, how)
    along = neutral if how.direction != "target - base" else None
    out = []
    for i, entry in enumerate(base):
        goal, origin, filler = (side and side[i if len(side) == len(base) else 0] for side in (target, along, neutral))
        _check_widths(entry, goal, filler)
        moved = goal_text(entry, goal) if _reaches(how, origin) else _moved(entry, goal, origin, filler, how)
        out += during(entry, moved, how.start_percent, how.end_percent)
    return out


def goal_text(entry: Entry, target: Entry) -> Entry:
    """`entry` with target's text, pooled vector, attention mask and words (Track Phrases)."""
    keys = {key: value for key, value in entry[1].items() if key not in ("attention_mask", KEY)}
    text_keys = ("pooled_output", "attention_mask", KEY)
    theirs = {key: target[1][key] for key in text_keys if target[1].get(key) is not None}
    return [target[0], {**keys, **theirs}]


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
    if how.start_percent > how.end_percent:
        raise ValueError(
            f"start_percent {how.start_percent:g} lies after end_percent {how.end_percent:g}; percent runs from 0, "
            "the noisiest moment, to 1, so make start_percent the smaller one."
        )
    if 0 < how.norm_limit < 1:
        raise ValueError(
            f"norm_limit {how.norm_limit:g} would shorten base and target themselves; use 1 or more, or 0 for no limit."
        )
    if how.direction == "target - neutral" and neutral is None:
        raise ValueError("Direction 'target - neutral' needs neutral; connect one or set direction to 'auto'.")
    for name, side in (("target", target), ("neutral", neutral)):
        if side is not None and not side:
            raise ValueError(
                f"The conditioning at {name} holds no text at all; connect the output of a text encode node."
            )


def _reaches(how: TextMove, origin: Entry | None) -> bool:
    """Whether the result is the target itself, rather than base plus a direction or only some rows of it."""
    return how.theta == 1 and origin is None and not how.phrase.strip()


def _moved(entry: Entry, target: Entry, origin: Entry | None, filler: Entry | None, how: TextMove) -> Entry:
    """One entry, all window long. origin: where the direction starts, None = at the entry itself."""
    sides = [side[0] for side in (entry, target, origin) if side]
    goal = longest([blocks(text) for text in sides])
    base, *others = (_lengthened(text, goal, filler, sides) for text in sides)
    rows = None
    if how.phrase.strip():
        rows = moving_rows(how.phrase, read_tag(entry[1]), entry[0].shape[1])[None, :, None]
        rows = _grown(rows, blocks(entry[0]), goal, True)[0, :, 0]
    keys = {**entry[1], **_pooled(entry, target, origin, how), **_mask(entry, target, goal)}
    return [_moved_vectors(base, others, how, rows), keys]


def _moved_vectors(base: Tensor, others: list[Tensor], how: TextMove, rows: Tensor | None = None) -> Tensor:
    """base (B, N, D) moved; others: the target, and the origin of the direction unless that is base."""
    base, target, *origin = _same_batch([base, *others])
    end = target
    if origin:
        wide = torch.promote_types(base.dtype, torch.float32)
        end = base.to(wide) + (target.to(wide) - origin[0].to(wide))
    if rows is None:
        return move(base, end, how.theta, how.mode, how.norm_limit)
    moved = base.clone()
    moved[:, rows] = move(base[:, rows], end[:, rows], how.theta, how.mode, how.norm_limit)
    return moved


def _pooled(entry: Entry, target: Entry, origin: Entry | None, how: TextMove) -> dict[str, Tensor]:
    """The pooled vector, moved alike; base's stays where another side has none."""
    vectors = [side[1].get("pooled_output") for side in (entry, target, origin) if side]
    if any(vector is None for vector in vectors):
        return {}
    widths = [vector.shape[-1] for vector in vectors]
    if len(set(widths)) > 1:
        raise ValueError(_other_model("pooled vectors", widths))
    base, *others = (vector.unsqueeze(1).to(vectors[0].device) for vector in vectors)  # (B, 1, D)
    return {"pooled_output": _moved_vectors(base, others, how).squeeze(1)}


def _mask(entry: Entry, target: Entry, goal: Blocks) -> dict[str, Tensor]:
    """The attention mask (B, N): a row counts where it counts in base or in target."""
    masks = [side[1].get("attention_mask") for side in (entry, target)]
    known = [mask for mask in masks if mask is not None]
    texts = (entry[0], target[0])
    if not known or any(m is not None and m.shape != t.shape[:2] for m, t in zip(masks, texts, strict=True)):
        return {}
    ones = (torch.ones(text.shape[:2], dtype=known[0].dtype) for text in texts)
    full = (one if mask is None else mask for mask, one in zip(masks, ones, strict=True))
    grown = [_grown(m.to(known[0])[..., None], blocks(t), goal, 0) for m, t in zip(full, texts, strict=True)]
    return {"attention_mask": torch.maximum(*_same_batch(grown))[..., 0]}


def _lengthened(text: Tensor, goal: Blocks, filler: Entry | None, sides: list[Tensor]) -> Tensor:
    own = blocks(text)
    text = text.to(sides[0].device)
    if own != goal and filler is None:
        counts = " and ".join(str(side.shape[1]) for side in sides)
        raise ValueError(
            f"The prompts are of different length ({counts} rows of text); connect the encoding of an empty prompt "
            "as neutral, whose rows then fill the shorter one, or shorten the longer prompt."
        )
    return text if own == goal else lengthen(text, own, goal, filler[0], blocks(filler[0]))


def _grown(x: Tensor, own: Blocks, goal: Blocks, value: float) -> Tensor:
    """x (B, N, 1) as `_lengthened` lengthens the text it belongs to, with a constant."""
    return lengthen(x, own, goal, torch.full((1, sum(goal), 1), value), goal)


def _same_batch(tensors: list[Tensor]) -> list[Tensor]:
    sizes = {tensor.shape[0] for tensor in tensors}
    if len(sizes - {1}) > 1:
        raise ValueError(
            f"The conditionings hold batches of {sorted(sizes)} texts; give each one or as many as the others."
        )
    return [tensor.expand(max(sizes), *tensor.shape[1:]) for tensor in tensors]


def _check_widths(entry: Entry, target: Entry, filler: Entry | None) -> None:
    widths = [side[0].shape[-1] for side in (entry, target, filler) if side]
    if len(set(widths)) > 1:
        raise ValueError(_other_model("texts", widths))


def _other_model(what: str, widths: list[int]) -> str:
    named = ", ".join(f"{name} {width}" for name, width in zip(("base", "target", "neutral"), widths, strict=False))
    return (
        f"The {what} come from different models (channels: {named}); encode all prompts with the CLIP of the model "
        "that samples."
    )
