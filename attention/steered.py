"""What the picture gets from its text in cross-attention, moved towards a concept or away from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

LIMIT = 2.5
"""How much larger a token's sum of magnitudes may become, as in NAG (arXiv:2505.21179)."""
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


def steered(prompt: Tensor, pulls: Sequence[Pull]) -> Tensor:
    """What the tokens get from the prompt (b, Q, C) with all concepts in it, in its dtype.

    With d = concept - neutral: add is + strength * d; remove is - strength times the prompt's own share of d, where it
    has one (CASteer's rule). A token never grows past LIMIT times its sum of magnitudes.
    """
    z = prompt.float()
    moved = z + sum(pull.share * _change(z, pull) for pull in pulls)
    growth = moved.abs().sum(-1, keepdim=True) / z.abs().sum(-1, keepdim=True).clamp(min=TINY)
    return (moved * (LIMIT / growth.clamp(min=LIMIT))).to(prompt)


def _change(z: Tensor, pull: Pull) -> Tensor:
    origin = z if pull.neutral is None else pull.neutral.float()
    d = pull.concept.float() - origin
    if not pull.remove:
        return pull.strength * d
    own = torch.linalg.vecdot(z - origin, d)[..., None].clamp(min=0.0)
    return -pull.strength * own / (d.square().sum(-1, keepdim=True) + TINY) * d
