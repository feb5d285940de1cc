"""A place for each of several phrases, from where the model looks at them before anything has taken shape."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

GRID = 32  # cells of the shorter side
BLUR = 4  # cells by which a map is smoothed to each side: early maps are all grain
MARGIN = 0.15  # of the shorter side, as all of these: from a place's middle to the picture's edge
APART = 0.4  # between the middles of two places; halved as often as it must be for many phrases
RADIUS = 0.35  # of a place


def places(maps: Tensor, rivals: Tensor) -> Tensor:
    """Masks (b, n, h, w) of 0 and 1 of n phrases: what is within RADIUS of a middle, and nearer to it than a rival's.

    The middles are chosen in turn, the highest peak first, each where its map is largest, APART from its rivals'.

    maps    (b, n, h, w), not negative, the shorter side GRID cells.
    rivals  (n, n) bool: whether two phrases keep apart.
    """
    smooth = avg_pool2d(pad(maps.float(), (BLUR,) * 4, mode="replicate"), 2 * BLUR + 1, 1)
    peaked = smooth / smooth.mean((2, 3), keepdim=True).clamp_min(torch.finfo(smooth.dtype).tiny)
    return torch.stack([_around(_middles(each, rivals), each.shape[1:], rivals) for each in peaked])


def _middles(maps: Tensor, rivals: Tensor) -> Tensor:
    """(n, 2), y and x of one picture's maps (n, h, w)."""
    middles = maps.new_full((len(maps), 2), torch.inf)
    edge = _from_edge(maps.shape[1:]) >= MARGIN
    left = list(range(len(maps)))
    while left:
        free = [_free(middles[rivals[k]], maps.shape[1:], edge) for k in left]
        peaks = torch.stack([maps[k].where(each, -1).flatten() for k, each in zip(left, free, strict=True)])
        first = int(peaks.amax(1).argmax())
        middles[left[first]] = _points(maps.shape[1:])[peaks[first].argmax()]
        del left[first]
    return middles


def _free(taken: Tensor, size: tuple[int, int], edge: Tensor) -> Tensor:
    """(h, w) bool: where a middle may lie beside those of its rivals (m, 2); infinity is not placed yet."""
    apart, near = APART, _distances(taken, size).amin(0) if len(taken) else torch.full(size, torch.inf)
    while not (free := edge & (near > apart)).any():
        apart /= 2
    return free


def _around(middles: Tensor, size: tuple[int, int], rivals: Tensor) -> Tensor:
    """(n, h, w) of 0 and 1; at the same distance the first has the cell."""
    away = _distances(middles, size)
    order = torch.arange(len(away))
    mine = [
        torch.where((order > k)[:, None, None], away[k] <= away, away[k] < away)[rivals[k]].all(0)
        for k in range(len(away))
    ]
    return (torch.stack(mine) & (away < RADIUS)).to(away.dtype)


def _distances(middles: Tensor, size: tuple[int, int]) -> Tensor:
    """(n, h, w) from middles (n, 2)."""
    return (_points(size) - middles[:, None]).norm(dim=2).unflatten(1, size)


def _points(size: tuple[int, int]) -> Tensor:
    """(h * w, 2): y and x of each cell's middle, in shorter sides."""
    return torch.cartesian_prod(*(torch.arange(side) + 0.5 for side in size)) / min(size)


def _from_edge(size: tuple[int, int]) -> Tensor:
    """(h, w): how far each cell's middle is from the picture's edge."""
    points, far = _points(size), torch.tensor(size) / min(size)
    return torch.minimum(points, far - points).amin(1).unflatten(0, size)
