"""What the judge and the adapter's image encoder share: features of a picture's 16x16 cells and of its whole."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from .autoencoder import Residual

CELL, SUMMARY = 80, 112  # channels of the two


class Trunk(nn.Module):
    """Pictures (B, 3, 128, 128) in -1..1 -> features (B, CELL, 16, 16) per cell and (B, SUMMARY) of the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, 48, 3, padding=1), Residual(48))
        self.cell = nn.Sequential(nn.Conv2d(48, CELL, 2, stride=2), Residual(CELL), Residual(CELL))
        self.wide = nn.Sequential(nn.Conv2d(CELL, SUMMARY, 2, stride=2), Residual(SUMMARY), Residual(SUMMARY))
        self.back = nn.Conv2d(SUMMARY, CELL, 1)
        self.join = Residual(CELL)

    def features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        cells = self.cell(self.fine(x))
        wide = self.wide(cells)
        cells = F.relu(self.join(cells + F.interpolate(self.back(wide), scale_factor=2)))
        return cells, F.relu(wide).mean((2, 3))
