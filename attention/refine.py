"""Maps that follow the outlines which self-attention sees."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate


def refine(maps: Tensor, self_attention: Tensor, grid: tuple[int, int], rounds: int) -> Tensor:
    """A' = A_self^n A: each pixel takes the mean of the pixels that it looks at (DiffSegmenter, arXiv:2309.02773).

    maps            (b, words, H, W).
    self_attention  (b, T, T), T = h * w; its rows are brought to sum 1.
    grid            (h, w) of self_attention, to which the maps are resized by area.
    rounds          n; 0 returns the maps as they are, 1 closes holes; from 2 on neighbouring objects run together.
    Returns (b, words, h, w).
    """
    if not rounds:
        return maps
    mixing = (self_attention / self_attention.sum(-1, keepdim=True)).transpose(1, 2)
    flat = interpolate(maps, size=grid, mode="area").flatten(2)
    for _ in range(rounds):
        flat = flat @ mixing
    return flat.unflatten(2, grid)
