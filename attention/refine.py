"""Maps that follow the outlines which self-attention sees."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate

SHARP = 2
"""The power to which self-attention is taken: with 1, objects near each other run together."""


def refine(maps: Tensor, self_attention: Tensor, grid: tuple[int, int], rounds: int) -> Tensor:
    """A' = P^n A, P = A_self * A_self per element: each pixel takes the mean of the pixels that it looks at most.

    DiffSegmenter (arXiv:2309.02773) has P = A_self, which lets near objects run together.

    maps            (b, words, H, W).
    self_attention  (b, T, T), T = h * w; the rows of P are brought to sum 1.
    grid            (h, w) of self_attention, to which the maps are resized by area.
    rounds          n; 0 returns the maps as they are; each closes holes and moves the outline to what belongs together.
    Returns (b, words, h, w).
    """
    if not rounds:
        return maps
    sharp = self_attention**SHARP
    mixing = (sharp / sharp.sum(-1, keepdim=True)).transpose(1, 2)
    flat = interpolate(maps, size=grid, mode="area").flatten(2)
    for _ in range(rounds):
        flat = flat @ mixing
    return flat.unflatten(2, grid)
