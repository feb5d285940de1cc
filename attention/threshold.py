"""From a map of attention to a mask, each picture by its own values."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

METHODS = {"log_mean": 0.2, "otsu": 0.0, "quantile": 0.8, "absolute": 0.4}
"""Method -> its usual level."""


@dataclass(frozen=True)
class Threshold:
    """Where the mask begins. All methods are independent of the map's scale."""

    method: str = "log_mean"
    """log_mean: above exp(mean(log A) + level), source 000 with level 0.2. otsu: best split into two groups, no level.
    quantile: the largest 1 - level of the pixels. absolute: above this fraction of the way from smallest to largest."""
    level: float = 0.2
    softness: float = 0.0
    """0 = hard. Else the mask rises straight in log A from 0 to 1 over this width, and is 0.5 at the threshold."""

    def __post_init__(self) -> None:
        if self.method in ("quantile", "absolute") and not 0 <= self.level <= 1:
            raise ValueError(
                f"The level {self.level:g} does not fit the threshold '{self.method}', a fraction; give 0 to 1."
            )


def mask(maps: Tensor, size: tuple[int, int], threshold: Threshold) -> Tensor:
    """Masks (B, H, W) in 0..1 from maps (B, h, w), which are resized first: a smooth map gives a smooth outline.

    size: (H, W) of the picture. A flat map has no inside: its hard mask is empty.
    """
    smooth = interpolate(maps[:, None].float(), size=size, mode="bilinear", align_corners=False)[:, 0]
    flat = smooth.flatten(1)
    cut = _CUTS[threshold.method](flat, threshold.level)[:, None, None]
    if threshold.softness == 0:
        return (smooth > cut).to(maps.dtype)
    tiny = torch.finfo(torch.float32).tiny
    rise = smooth.double().clamp_min(tiny).log() - cut.clamp_min(tiny).log()
    return (rise / threshold.softness + 0.5).clamp(0, 1).to(maps.dtype)


def _log_mean(flat: Tensor, level: float) -> Tensor:
    """exp(mean(log A) + level), (B,); pixels of no attention at all (beyond a conditioning's area) do not count."""
    logs = flat.double().log()
    seen = logs.isfinite()
    return (torch.where(seen, logs, 0).sum(1) / seen.sum(1).clamp_min(1) + level).exp()


def _otsu(flat: Tensor, level: float) -> Tensor:
    """The split with the largest variance between the two groups, (B,): half way between their nearest values.

    A single pixel has no inside.
    """
    ordered = flat.double().sort(1).values
    size = ordered.shape[1]
    if size == 1:
        return ordered[:, 0]
    low = torch.arange(1, size, device=flat.device)
    total, below = ordered.sum(1, keepdim=True), ordered.cumsum(1)[:, :-1]
    spread = (below / low - (total - below) / (size - low)) ** 2 * low * (size - low)
    best = spread.argmax(1, keepdim=True)
    return (ordered.gather(1, best) + ordered.gather(1, best + 1))[:, 0] / 2


def _quantile(flat: Tensor, level: float) -> Tensor:
    """The value that the fraction `level` of the pixels does not exceed, (B,)."""
    ordered = flat.double().sort(1).values
    return ordered[:, round(level * (ordered.shape[1] - 1))]


def _absolute(flat: Tensor, level: float) -> Tensor:
    low, high = flat.double().aminmax(dim=1)
    return low + level * (high - low)


_CUTS = {"log_mean": _log_mean, "otsu": _otsu, "quantile": _quantile, "absolute": _absolute}
