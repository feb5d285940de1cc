"""Masks that users give, fitted to the run they act in."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

BLACK = "{} is black, so it did nothing; Load Image gives a black mask where a picture has no transparency."

CELL = 8  # pixels of a mask per latent cell while areas are cut out of it


def check_count(mask: Tensor, batch: int, name: str = "The mask", are: str = "are being sampled") -> None:
    """ValueError: a mask (B, H, W) is neither one for all `batch` pictures nor one for each."""
    if mask.shape[0] not in (1, batch):
        raise ValueError(
            f"{name} holds {mask.shape[0]} pictures, but {batch} {are}; use one mask for all of them, or one for each."
        )


def on_latent(mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    """(B or 1, H, W) -> (B or 1, 1, ..., h, w) on the grid of a latent of this shape, by area."""
    small = F.interpolate(mask[:, None].float(), size=shape[-2:], mode="area")
    return small.reshape(mask.shape[0], *[1] * (len(shape) - 3), *shape[-2:])


def cut_to_area(mask: Tensor, area: tuple[int, int, int, int] | None, shape: tuple[int, ...]) -> Tensor:
    """The part of a mask (B, H, W) that lies in an entry's area (h, w, y, x) of a latent of this shape; None: all."""
    if area is None:
        return mask
    wide = F.interpolate(mask[:, None], [CELL * side for side in shape[-2:]], mode="area")[:, 0]
    h, w, y, x = (CELL * side for side in area)
    return wide[:, y : y + h, x : x + w]
