"""How far a slider has moved the picture at each of its values, as a drawing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

WIDTH, HEIGHT, MARGIN, FONT = 480, 320, 30, 16  # pixels
PALE, STRONG = "#d0d0d0", "#1f6fd0"


def draw_curve(values: Sequence[float], path: Sequence[float], found: Sequence[float]) -> Tensor:
    """(1, HEIGHT, WIDTH, 3) in 0..1: the path (upwards) over the values (to the right), and lines from `found` to it.

    values: rising or falling numbers, the first at the left. path: as many, rising from 0. found: numbers among values.
    """
    sheet = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT)
    points = [_point(value, height, values, path) for value, height in zip(values, path, strict=True)]
    for value in found:
        x, y = _point(value, _height(value, values, path), values, path)
        pen.line([(x, HEIGHT - MARGIN), (x, y), (MARGIN, y)], fill=PALE, width=1)
    pen.line(points, fill=STRONG, width=2)
    for x, y in points:
        pen.ellipse([x - 3, y - 3, x + 3, y + 3], fill=STRONG)
    _write(pen, font, f"{values[0]:.4g}", MARGIN)
    _write(pen, font, f"{values[-1]:.4g}", WIDTH - MARGIN)
    return torch.from_numpy(np.array(sheet)).float()[None] / 255


def _point(value: float, height: float, values: Sequence[float], path: Sequence[float]) -> tuple[float, float]:
    """Pixels from the left and from the top."""
    right = (value - values[0]) / (values[-1] - values[0])
    return MARGIN + right * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - height / path[-1] * (HEIGHT - 2 * MARGIN)


def _height(value: float, values: Sequence[float], path: Sequence[float]) -> float:
    """The path at a value, straight between the probes."""
    turn = 1 if values[-1] > values[0] else -1
    return float(np.interp(turn * value, [turn * one for one in values], path))


def _write(pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, text: str, middle: float) -> None:
    """Below the drawing, inside the sheet."""
    width = font.getlength(text)
    left = min(max(middle - width / 2, 2), WIDTH - width - 2)
    pen.text((left, HEIGHT - MARGIN + 6), text, fill="black", font=font)
