"""Pictures of prompts whose encodings are moved, by ours and by the host's Conditioning Average."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

import nodes  # the host's

from ..demo.model import load
from ..patches.slerp import TextMove, move_text
from .paint import encode, paint


@dataclass(frozen=True)
class Slider:
    """A prompt, the same with a style, and the seed of its pictures."""

    text: str
    styled: str
    seed: int


class Mover:
    """TinyScenes, and what is painted for texts on the way from one to another."""

    def __init__(self) -> None:
        self.model, self.clip, self.vae = load()

    def pictures(
        self, base: list[str], target: list[str], theta: float, seeds: list[int], neutral: list[str] = ()
    ) -> Tensor:
        """One per base and target, moved by theta along target - base, or target - neutral."""
        origin = encode(self.clip, neutral) if neutral else None
        moved = move_text(encode(self.clip, base), encode(self.clip, target), origin, TextMove(theta))
        return self._paint(moved, seeds)

    def averaged(self, base: list[str], target: list[str], share: float, seeds: list[int]) -> Tensor:
        """As `pictures`, by Conditioning Average."""
        both = encode(self.clip, target), encode(self.clip, base)
        return self._paint(nodes.ConditioningAverage().addWeighted(*both, share)[0], seeds)

    def path(self, slider: Slider, thetas: list[float], start: float = 0.0) -> Tensor:
        """One per theta, from a share `start` of the noise schedule on; before it, the prompt is the plain one."""
        base, target = encode(self.clip, [slider.text]), encode(self.clip, [slider.styled])
        moved = [move_text(base, target, None, TextMove(theta))[0] for theta in thetas]
        pooled = torch.cat([options["pooled_output"] for _, options in moved])
        ends = [[torch.cat([text for text, _ in moved]), {"pooled_output": pooled}]]
        plain = encode(self.clip, [slider.text] * len(thetas))
        return self._paint(
            move_text(plain, ends, None, TextMove(1.0, start_percent=start)), [slider.seed] * len(thetas)
        )

    def _paint(self, positive: list, seeds: list[int]) -> Tensor:
        return paint(self.model, self.vae, positive, encode(self.clip, [""]), seeds)
