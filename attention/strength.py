"""One strength curve for every kind of model: its sigma as a noise-to-signal ratio in Stable Diffusion 1's terms."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

LARGEST = 14.614647
"""Sigma of SD1.x's last training step (SOURCES, the schedule's table)."""


def noise_ratio(sigma: float, flow: bool) -> float:
    """Noise over signal, 0..14.614647, which is the range that source 003's strengths were made for.

    sigma: the host's. Of eps and v-prediction models it is the ratio itself (4500 at zero terminal SNR).
    flow: whether x = (1 - sigma) * z0 + sigma * noise, with sigma in 0..1; the ratio is sigma / (1 - sigma).
    """
    if not flow:
        return min(sigma, LARGEST)
    return min(sigma / (1 - sigma), LARGEST) if sigma < 1 else LARGEST


def schedule_position(ratio: float) -> float:
    """Timestep t / 999 that SD1.x's schedule gives a noise ratio, 0..1; between steps linear in log sigma."""
    table = _log_sigmas()
    if ratio <= 0:
        return 0.0
    wanted = torch.tensor(math.log(ratio), dtype=table.dtype).clamp(table[0], table[-1])
    upper = int(torch.searchsorted(table, wanted).clamp_min(1))
    low, high = table[upper - 1], table[upper]
    return (upper - 1 + float((wanted - low) / (high - low))) / (len(table) - 1)


@cache
def _log_sigmas() -> Tensor:
    """Log sigma of the 1000 training steps, betas = linspace(sqrt(.00085), sqrt(.012), 1000)^2, in float64."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64, device="cpu").square()
    signal = (1 - betas).cumprod(0)
    return ((1 - signal) / signal).log() / 2
