"""Text tensors of two or three prompts brought to one length and batch, and moved."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...sampling.lengths import Blocks, blocks, lengthen, longest
from ...sampling.slerp import move

FIRST = "cross_attn"
"""The host's name for the tensor of a conditioning entry."""


@dataclass(frozen=True)
class Path:
    """How far (theta, 0 = off), and along which path."""

    theta: float
    mode: str = "per_token"
    norm_limit: float = 1.5


@dataclass(frozen=True)
class Lengths:
    """The blocks of rows of each side's text, and those that hold the longest of each."""

    own: list[Blocks]
    goal: Blocks

    @classmethod
    def of(cls, texts: list[Tensor], name: str) -> Lengths:
        """Only the first text, FIRST, may be SD3's, of two blocks."""
        own = _cut(texts) if name == FIRST else [(0, text.shape[-2]) for text in texts]
        return cls(own, longest(own))


def _cut(texts: list[Tensor]) -> list[Blocks]:
    """Blocks of each; zeros (Conditioning Zero Out) tell none, and are cut as the first other text as long as they."""
    told = [blocks(text) if text.any() else None for text in texts]
    known = [cut for cut in told if cut]
    return [
        cut or next((other for other in known if sum(other) == text.shape[-2]), (0, text.shape[-2]))
        for text, cut in zip(texts, told, strict=True)
    ]


def moved_rows(sides: list[Tensor], filler: Tensor | None, how: Path, name: str, rows: Tensor | None = None) -> Tensor:
    """base (B, ..., N, D) moved; sides: base, the target, and the origin of the direction unless that is base.

    filler: the text whose rows fill the shorter ones. rows: (N,) bool, those of base that move; None = all.
    """
    sides = [side.to(sides[0].device) for side in sides]
    lengths = Lengths.of(sides, name)
    if filler is None and any(own != lengths.goal for own in lengths.own):
        raise ValueError(_other_length(name, [side.shape[-2] for side in sides]))
    full = [_lengthened(side, own, lengths.goal, filler) for side, own in zip(sides, lengths.own, strict=True)]
    if rows is not None:
        rows = _grown(rows[None, :, None], lengths.own[0], lengths.goal, True)[0, :, 0]
    return moved_vectors(full, how, rows)


def moved_vectors(sides: list[Tensor], how: Path, rows: Tensor | None = None) -> Tensor:
    """As `moved_rows`, for sides of one length."""
    base, target, *origin = same_batch(sides)
    end = target
    if origin:
        wide = torch.promote_types(base.dtype, torch.float32)
        end = base.to(wide) + (target.to(wide) - origin[0].to(wide))
    if rows is None:
        return move(base, end, how.theta, how.mode, how.norm_limit)
    moved = base.clone()
    moved[:, rows] = move(base[:, rows], end[:, rows], how.theta, how.mode, how.norm_limit)
    return moved


def united(masks: list[Tensor | None], texts: list[Tensor], sides: list[Tensor], name: str) -> Tensor | None:
    """The mask (B, N) of base moved to target: a row counts where it counts in one of them. None: no mask is known.

    masks, texts: of base and target, None = every row counts. sides: all texts, whose longest sets N.
    """
    known = [mask for mask in masks if mask is not None]
    if not known or any(m is not None and m.shape != t.shape[:2] for m, t in zip(masks, texts, strict=True)):
        return None
    ones = (torch.ones(text.shape[:2], dtype=known[0].dtype) for text in texts)
    full = (one if mask is None else mask for mask, one in zip(masks, ones, strict=True))
    lengths = Lengths.of(sides, name)
    grown = [_grown(m.to(known[0])[..., None], own, lengths.goal, 0) for m, own in zip(full, lengths.own, strict=False)]
    return torch.maximum(*same_batch(grown))[..., 0]


def same_batch(tensors: list[Tensor]) -> list[Tensor]:
    sizes = {tensor.shape[0] for tensor in tensors}
    if len(sizes - {1}) > 1:
        raise ValueError(
            f"The conditionings hold batches of {sorted(sizes)} texts; give each one or as many as the others."
        )
    return [tensor.expand(max(sizes), *tensor.shape[1:]) for tensor in tensors]


def check_widths(what: str, sides: list[Tensor]) -> None:
    """ValueError where base, target and neutral, in this order, come from different models."""
    widths = [tuple(side.shape[1:-2]) + side.shape[-1:] for side in sides]
    if len(set(widths)) > 1:
        shown = (" x ".join(map(str, width)) for width in widths)
        named = ", ".join(f"{name} {width}" for name, width in zip(("base", "target", "neutral"), shown, strict=False))
        raise ValueError(
            f"The {what} come from different models (channels: {named}); encode all prompts with the CLIP of the model "
            "that samples."
        )


def _other_length(name: str, counts: list[int]) -> str:
    shown = " and ".join(map(str, counts))
    if name != FIRST:
        return (
            f"The prompts' {name} are of different length ({shown} rows of text) and neutral has none to fill the "
            "shorter one; write both equally long, or connect a neutral that has it too."
        )
    return (
        f"The prompts are of different length ({shown} rows of text); connect the encoding of an empty prompt "
        "as neutral, whose rows then fill the shorter one, or shorten the longer prompt."
    )


def _lengthened(text: Tensor, own: Blocks, goal: Blocks, filler: Tensor | None) -> Tensor:
    if own == goal:
        return text
    return lengthen(text, own, goal, filler, blocks(filler) if goal[0] else (0, filler.shape[-2]))


def _grown(x: Tensor, own: Blocks, goal: Blocks, value: float) -> Tensor:
    """x (B, N, 1) as `_lengthened` lengthens the text it belongs to, with a constant."""
    return lengthen(x, own, goal, torch.full((1, sum(goal), 1), value), goal)
