"""Smaller masks, and soft edges of masks: along one side, then along the other, which gives the same sooner."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d


def shrunk(masks: Tensor, pixels: int) -> Tensor:
    """(B, H, W): each place gets the least of what is up to `pixels` away; the picture's border takes nothing off."""
    if pixels == 0:
        return masks
    rows = max_pool2d(-masks[:, None], (1, 2 * pixels + 1), 1, (0, pixels))
    return -max_pool2d(rows, (2 * pixels + 1, 1), 1, (pixels, 0))[:, 0]


def feathered(masks: Tensor, pixels: int) -> Tensor:
    """(B, H, W): edges fade evenly over `pixels`, half of them to each side."""
    reach = pixels // 2
    if reach == 0:
        return masks
    rows = avg_pool2d(masks[:, None], (1, 2 * reach + 1), 1, (0, reach), count_include_pad=False)
    return avg_pool2d(rows, (2 * reach + 1, 1), 1, (reach, 0), count_include_pad=False)[:, 0]
