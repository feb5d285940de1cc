"""A picture moved and scaled within its frame, for latents, masks and pixels alike."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

Box = tuple[float, float, float, float]
"""Top, left, bottom, right in shares of the picture."""
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Move:
    """What stands at s, in cells of a grid (h, w), comes to scale * s + (down, across)."""

    cells: tuple[int, int]
    scale: float = 1.0
    down: float = 0.0
    across: float = 0.0

    def picture(self, x: Tensor) -> Tensor:
        """(..., H, W) of any size; beyond its edges the edge goes on. Exact where scale is 1 and whole cells are moved.

        A smaller one is the weighted mean of what falls on a cell and beside it, a larger one is drawn linearly.
        """
        rows, columns = (self._weights(size, axis).to(x.device) for axis, size in enumerate(x.shape[-2:]))
        return (rows @ x.float() @ columns.T).to(x.dtype)

    def mask(self, mask: Tensor) -> Tensor:
        """The same, but 0 beyond the edges."""
        inside = [self._inside(size, axis).to(mask) for axis, size in enumerate(mask.shape[-2:])]
        return self.picture(mask) * inside[0][:, None] * inside[1]

    def _sources(self, size: int, axis: int) -> Tensor:
        """Where in the picture each of `size` rows (axis 0) or columns (axis 1) comes from."""
        offset = (self.down, self.across)[axis] * size / self.cells[axis]
        return (torch.arange(size, dtype=torch.float64) + 0.5 - offset) / self.scale

    def _inside(self, size: int, axis: int) -> Tensor:
        found = self._sources(size, axis)
        return (found >= 0) & (found <= size)

    def _weights(self, size: int, axis: int) -> Tensor:
        """(size, size): of what each row is made."""
        found, reach = self._sources(size, axis).clamp(0.5, size - 0.5), max(1.0, 1 / self.scale)
        apart = (found[:, None] - torch.arange(size, dtype=torch.float64) - 0.5).abs()
        weights = (1 - apart / reach).clamp(min=0)
        return (weights / weights.sum(1, keepdim=True)).float()


def move_to(cells: tuple[int, int], own: Box, place: Box | None, x: float, y: float, scale: float) -> Move:
    """The move that scales about the middle of `own` and shifts by (x, y) shares of the picture.

    place: `own` first goes to the middle of this box, as large as fits. At scale 1 shifts are rounded to whole cells.
    """
    (top, left, bottom, right), (middle_down, middle_across) = own, _middle(own)
    down, across = middle_down, middle_across
    if place is not None:
        down, across = _middle(place)
        scale *= min((place[2] - place[0]) / (bottom - top), (place[3] - place[1]) / (right - left))
    offsets = (down + y - scale * middle_down) * cells[0], (across + x - scale * middle_across) * cells[1]
    if scale == 1:
        offsets = map(round, offsets)
    return Move(cells, scale, *offsets)


def box_of(mask: Tensor) -> Box:
    """Around what is at least half as bright as the brightest of a mask (H, W); the whole picture if that is black."""
    inside = (mask > 0) & (mask >= mask.max() / 2)
    if not inside.any():
        return WHOLE
    (top, bottom), (left, right) = (_ends(inside.any(axis)) for axis in (1, 0))
    return top, left, bottom, right


def _ends(inside: Tensor) -> tuple[float, float]:
    found = inside.nonzero()
    return int(found.min()) / len(inside), (int(found.max()) + 1) / len(inside)


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
