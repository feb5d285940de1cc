"""Smaller masks, and soft edges of masks."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d


def shrunk(masks: Tensor, pixels: int) -> Tensor:
    """(B, H, W): each place gets the least of what is up to `pixels` away; the picture's border takes nothing off."""
    if pixels == 0:
        return masks
    return -max_pool2d(-masks[:, None], 2 * pixels + 1, 1, pixels)[:, 0]


def feathered(masks: Tensor, pixels: int) -> Tensor:
    """(B, H, W): edges fade evenly over `pixels`, half of them to each side."""
    reach = pixels // 2
    if reach == 0:
        return masks
    return avg_pool2d(masks[:, None], 2 * reach + 1, 1, reach, count_include_pad=False)[:, 0]
