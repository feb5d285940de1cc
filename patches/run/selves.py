"""How much the places of a picture look at each other, summed over the calls of a run."""

from __future__ import annotations

from math import prod, sqrt

from torch import Tensor

from ...attention.probabilities import pooled_probabilities, self_probabilities
from ..models.site import Site
from .engine import Look

TOKENS = 1024  # the largest grid that is kept: 4 MB a picture


class Selves:
    """Self-attention of the finest grid of at most TOKENS cells; of the coarsest larger one, pooled, if there is none.

    A U-Net's blocks begin with the finest; a transformer's all have the same.
    """

    def __init__(self) -> None:
        self.total: Tensor | None = None
        """(b, T, T)."""
        self.grid: tuple[int, int] = (0, 0)
        """Of the calls that are in it."""

    def wants(self, site: Site) -> bool:
        return site.pictures is not None and (self.total is None or _worth(site.grid) >= _worth(self.grid))

    def add(self, look: Look) -> None:
        """Only what saw the whole picture."""
        if look.entry.area is not None:
            return
        seen = _seen(look)
        self.total = seen + self.total if self.total is not None and look.site.grid == self.grid else seen
        self.grid = look.site.grid

    def take(self) -> tuple[Tensor | None, tuple[int, int]]:
        """Rows of sum 1 (b, T, T) on the CPU with their (h, w), or (None, (0, 0)); begins again."""
        total, self.total = self.total, None
        return (None, (0, 0)) if total is None else ((total / total.sum(-1, keepdim=True)).cpu(), _cells(self.grid))


def _worth(grid: tuple[int, int]) -> int:
    cells = prod(grid)
    return cells if cells <= TOKENS else -cells


def _cells(grid: tuple[int, int]) -> tuple[int, int]:
    """The grid, or one of its shape with at most TOKENS cells."""
    if prod(grid) <= TOKENS:
        return grid
    height = min(TOKENS, max(1, int(grid[0] * sqrt(TOKENS / prod(grid)))))
    return height, min(TOKENS // height, max(1, int(grid[1] * sqrt(TOKENS / prod(grid)))))


def _seen(look: Look) -> Tensor:
    """(b, T, T): of a video the mean over its frames, each looking at itself."""
    grid, cells, frames = look.site.grid, _cells(look.site.grid), look.site.frames
    parts = zip(*(t.unflatten(2, (frames, -1)).unbind(2) for t in (look.q, look.picture_k)), strict=True)
    if cells == grid:
        return sum(self_probabilities(q, k) for q, k in parts) / frames
    return sum(pooled_probabilities(q, k, grid, cells) for q, k in parts) / frames
