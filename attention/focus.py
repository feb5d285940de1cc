"""The pull of a region: its mask, peaked in its middle, so that one thing is drawn there instead of a field of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SPREAD = 0.8
"""Standard deviation at focus 1, in halves of the shorter side."""

_CELLS = 64  # of the longer side of the grid that distances are measured on
_WHOLE = 0.9  # of a mask's area in the part that holds its middle, from which it counts as one part


def focused(mask: Tensor, focus: float) -> Tensor:
    """(B, H, W) in 0..1 -> the same times exp(-(distance / s)^2 / 2), where s is SPREAD / focus times the mask's depth.

    The edge is where a mask falls below half of its peak, and the picture's border; the depth is the distance from the
    edge to the mask's deepest point: half of the shorter side of a box. The distance is that to the middle, which is
    the mean of the deepest points. Where that lies outside of the mask (a ring), or a tenth of the mask is in other
    parts, it is the depth less a place's own distance from the edge: the pull then falls from the deepest points to
    the edge. focus: 0..3; 0 gives the mask itself.
    """
    if focus == 0:
        return mask
    return torch.stack([_focused(one, focus) for one in mask])


def _focused(mask: Tensor, focus: float) -> Tensor:
    """One picture's mask (H, W); a black one stays black."""
    inside = (mask > 0) & (mask >= mask.max() / 2)
    if not inside.any():
        return mask
    rows, columns = (_span(inside.any(axis)) for axis in (1, 0))
    box = inside[rows, columns]
    size = [max(1, round(side * min(1, _CELLS / max(box.shape)))) for side in box.shape]
    depth = _depth(F.adaptive_max_pool2d(box[None, None].float(), size))
    cell = box.shape[0] / size[0]  # pixels
    peak = depth.max() * cell
    middle = _middle(depth[0, 0])
    if middle is None:
        near = F.interpolate(depth - 0.5, box.shape, mode="nearest-exact")[0, 0] * cell
        away = peak.expand(mask.shape).clone()
        away[rows, columns] -= near
    else:
        y, x = (span.start + share * side for span, share, side in zip((rows, columns), middle, box.shape, strict=True))
        away = torch.hypot(_centres(mask, 0)[:, None] - y, _centres(mask, 1) - x)
    return mask * torch.exp(-0.5 * (away * focus / (SPREAD * peak)) ** 2)


def _span(there: Tensor) -> slice:
    """From the first to the last true one."""
    found = there.nonzero()
    return slice(int(found[0]), int(found[-1]) + 1)


def _depth(inside: Tensor) -> Tensor:
    """(1, 1, h, w) of 0 and 1 -> how far each cell is from the edge, in cells: 0 outside, 1 at the edge.

    The mask loses a square and a cross in turn, as squares alone would call a disc's middle too near.
    """
    left, total = inside, torch.zeros_like(inside)
    for step in range(sum(inside.shape)):
        if not left.any():
            break
        total += left
        beyond = F.pad(1 - left, (1, 1, 1, 1), value=1.0)
        across, down = F.max_pool2d(beyond[..., 1:-1, :], (1, 3), 1), F.max_pool2d(beyond[..., 1:-1], (3, 1), 1)
        left = 1 - (torch.maximum(across, down) if step % 2 else F.max_pool2d(beyond, 3, 1))
    return total


def _middle(depth: Tensor) -> tuple[float, float] | None:
    """Mean of the deepest cells (y, x) in shares of the grid (h, w); None: outside, or the mask has several parts."""
    size = torch.tensor(depth.shape)
    at = (depth == depth.max()).nonzero().double().mean(0) + 0.5
    y, x = at.floor().long().tolist()
    inside = depth > 0
    if not inside[y, x]:
        return None
    part = torch.zeros_like(depth)[None, None]
    part[..., y, x] = 1
    grown = F.max_pool2d(part, 3, 1, 1) * inside
    while not grown.equal(part):
        part, grown = grown, F.max_pool2d(grown, 3, 1, 1) * inside
    return tuple((at / size).tolist()) if part.sum() >= _WHOLE * inside.sum() else None


def _centres(mask: Tensor, axis: int) -> Tensor:
    return torch.arange(mask.shape[axis], device=mask.device) + 0.5
