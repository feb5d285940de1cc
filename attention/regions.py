"""A phrase and the part of the picture where it belongs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from .focus import focused


@dataclass(frozen=True)
class Region:
    """One phrase of the prompt, placed."""

    phrase: str
    mask: Tensor | None = field(repr=False)
    """(B, H, W) in 0..1 of any size, 1 = inside; B is 1 (for every picture) or the batch (one per picture).

    None: where the model looks at the phrase in the first steps; found while sampling.
    """
    strength: float = 0.5
    """S, 0..3: how much the inside of the mask is drawn to the phrase."""
    outside: float = 0.0
    """S', 0..3: how much the outside is pushed away from it."""
    occurrence: int = 0
    """Which occurrence of the phrase in the prompt, from 1; 0 means all."""
    colour: tuple[int, int, int] | None = None
    """RGB 0..255 in previews; None picks one."""
    focus: float = 0.0
    """0..3: how much the pull of S is gathered in the mask's middle (`focus.focused`); 0 is flat, as the source."""

    @cached_property
    def pull(self) -> Tensor:
        """(B, H, W): the shape of what `strength` draws; the mask itself at focus 0. What `outside` pushes is flat.

        Only of a region that has a mask.
        """
        return focused(self.mask, self.focus)

    @property
    def neutral(self) -> bool:
        """Whether it is set to change nothing."""
        return self.strength == 0 and self.outside == 0

    @property
    def off(self) -> bool:
        """Whether it changes nothing, as it is neutral or has no inside to draw to and nothing to push away from."""
        black = self.mask is not None and not self.mask.any()
        return self.outside == 0 and (self.strength == 0 or black)
