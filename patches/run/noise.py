"""Noise of our own, without a hand on the generator that everyone shares."""

from __future__ import annotations

import torch
from torch import Tensor


def noise_like(latent: Tensor, seed: int) -> Tensor:
    """The host's `prepare_noise` for one seed, (B, C, ..., h, w) float32 on the CPU; torch's global seed stays."""
    return torch.randn(latent.shape, generator=torch.Generator().manual_seed(seed))
