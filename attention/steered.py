"""What the picture gets from its text, moved towards a concept or away from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

LIMIT = 2.5
"""How much larger a token's sum of magnitudes may become, as in NAG (arXiv:2505.21179)."""
ABSENT, PRESENT = 0.3, 0.6
"""Cosine of what a token gets and the concept, up to which the concept is not in it, and from which it is: at most 0.26
for 95 % of TinyScenes' tokens without a style, 0.62 for half of those with it."""
TINY = 1e-8


@dataclass(frozen=True)
class Pull:
    """One concept in one attention call."""

    concept: Tensor
    """(b, Q, C), what the picture's tokens would get from the concept's text."""
    neutral: Tensor | None
    """The same of the text that it is measured against; None: of the prompt."""
    strength: float
    remove: bool = False
    share: Tensor | float = 1.0
    """How much of it counts, for all tokens or (b or 1, Q, 1)."""


def steered(prompt: Tensor, pulls: Sequence[Pull], text: Tensor | None = None, part: Tensor | float = 1.0) -> Tensor:
    """What the tokens get from the prompt (b, Q, C) with all concepts in it, in its dtype.

    With d = concept - neutral: add is + strength * d; remove is - strength times the prompt's own share of d (CASteer's
    rule), in tokens that are like d. A token never grows past LIMIT times its sum of magnitudes.
    text: what they get from the prompt's text alone, where the rest is from other tokens, and part, of it, counts.
    """
    z = prompt.float()
    own = z if text is None else text.float()
    moved = z + part * sum(pull.share * _change(own, pull) for pull in pulls)
    growth = moved.abs().sum(-1, keepdim=True) / z.abs().sum(-1, keepdim=True).clamp(min=TINY)
    return (moved * (LIMIT / growth.clamp(min=LIMIT))).to(prompt)


def _change(z: Tensor, pull: Pull) -> Tensor:
    origin = z if pull.neutral is None else pull.neutral.float()
    d, own = pull.concept.float() - origin, z - origin
    if not pull.remove:
        return pull.strength * d
    common = torch.linalg.vecdot(own, d)[..., None]
    like = common / (own.norm(dim=-1, keepdim=True) * d.norm(dim=-1, keepdim=True) + TINY)
    there = ((like - ABSENT) / (PRESENT - ABSENT)).clamp(0.0, 1.0)
    return -pull.strength * there * common / (d.square().sum(-1, keepdim=True) + TINY) * d
