"""Maps as colours over a picture."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

SCALE = ((0.0, 0.0, 0.2), (0.35, 0.05, 0.45), (0.85, 0.2, 0.3), (1.0, 0.65, 0.1), (1.0, 1.0, 0.75))
"""Dark to bright in equal steps, RGB 0..1."""
GREY = 0.5


def heat_picture(heat: Tensor, size: tuple[int, int], image: Tensor | None) -> Tensor:
    """(N, H, W, 3) in 0..1: the picture where the map is low, its colours where it is high.

    heat: (N, h, w) in 0..1. size: (H, W). image: (B, H, W, C) in 0..1, repeated to N; None: grey.
    """
    wide = interpolate(heat[:, None].float(), size=size, mode="bilinear", align_corners=False)[:, 0].clamp(0, 1)
    under = torch.full((1, *size, 3), GREY) if image is None else _rgb(image)
    under = under.repeat(-(-len(wide) // len(under)), 1, 1, 1)[: len(wide)]
    opacity = 0.85 * wide[..., None]
    return under.to(wide) * (1 - opacity) + _colours(wide) * opacity


def _colours(values: Tensor) -> Tensor:
    scale = torch.tensor(SCALE, device=values.device)
    at = values * (len(scale) - 1)
    low = at.long().clamp_max(len(scale) - 2)
    return torch.lerp(scale[low], scale[low + 1], (at - low)[..., None])


def _rgb(image: Tensor) -> Tensor:
    return image[..., :3] if image.shape[-1] >= 3 else image[..., :1].expand(*image.shape[:-1], 3)
