"""The autoencoder of TinyScenes: 8x smaller, 4 channels, plain convolutions at 1/4 and 1/8 of the picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LATENT_SCALE = 0.18215  # what the host's SD1.5 latent format multiplies an encoded picture with


class Residual(nn.Module):
    """x + conv(relu(conv(relu(x)))), starting as the identity."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(F.relu(x))))


def _stack(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(channels) for _ in range(count)))


class TinyAutoencoder(nn.Module):
    """Pictures (B, 3, H, W) in -1..1 <-> latents (B, 4, H/8, W/8), as the host's VAE expects its model."""

    def __init__(self, fine: int = 64, coarse: int = 128):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(48, fine, 3, padding=1),
            _stack(fine, 2),
            nn.Conv2d(fine, coarse, 2, stride=2),
            _stack(coarse, 2),
            nn.Conv2d(coarse, 4, 3, padding=1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(4, coarse, 3, padding=1),
            _stack(coarse, 4),
            nn.Conv2d(coarse, fine * 4, 1),
            nn.PixelShuffle(2),
            _stack(fine, 4),
            nn.Conv2d(fine, 48, 3, padding=1),
            nn.PixelShuffle(4),
        )
        self.register_buffer("mean", torch.zeros(4))  # of the bounded code, so that latents have mean 0 and
        self.register_buffer("std", torch.ones(4))  # standard deviation 1 per channel

    def code(self, x: Tensor) -> Tensor:
        """The bounded code before normalisation, (B, 4, H/8, W/8) in -3..3."""
        return 3 * torch.tanh(self.encoder(x) / 3)

    def encode(self, x: Tensor) -> Tensor:
        statistics = self.mean.to(x)[:, None, None], self.std.to(x)[:, None, None]
        return (self.code(x) - statistics[0]) / statistics[1] / LATENT_SCALE

    def decode(self, z: Tensor) -> Tensor:
        statistics = self.mean.to(z)[:, None, None], self.std.to(z)[:, None, None]
        return self.decoder(z * LATENT_SCALE * statistics[1] + statistics[0])
