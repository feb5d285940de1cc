"""How much the places of a picture look at each other, summed over the calls of a run."""

from __future__ import annotations

from math import prod

from torch import Tensor

from ...attention.probabilities import self_probabilities
from ..models.site import Site
from .engine import Look

TOKENS = 1024  # the largest grid that is kept: 4 MB a picture


class Selves:
    """Self-attention of the finest grid that is small enough: a U-Net's blocks begin with it."""

    def __init__(self) -> None:
        self.total: Tensor | None = None
        """(b, T, T)."""
        self.grid = (0, 0)

    def wants(self, site: Site) -> bool:
        return prod(self.grid) <= prod(site.grid) <= TOKENS

    def add(self, look: Look) -> None:
        """Only what saw the whole picture."""
        if look.entry.area is not None:
            return
        seen = self_probabilities(look.q, look.k)
        self.total = seen + self.total if look.site.grid == self.grid else seen
        self.grid = look.site.grid

    def take(self) -> tuple[Tensor | None, tuple[int, int]]:
        """Rows of sum 1 (b, T, T) on the CPU with their (h, w), or (None, (0, 0)); begins again."""
        total, grid = self.total, self.grid
        self.total, self.grid = None, (0, 0)
        return None if total is None else (total / total.sum(-1, keepdim=True)).cpu(), grid
