"""Pictures and their labels on one sheet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from .fonts import font_for

READABLE = 256  # pixels: tiles narrower than this are enlarged, so that a label of two words fits
ONE_ROW = 8  # pictures that fit beside each other on a screen


@dataclass(frozen=True)
class GridStyle:
    """Columns, pixels between tiles, label height and enlargement; 0 lets `draw_grid` choose (gap: none)."""

    columns: int = 0
    gap: int = 8
    font_size: int = 0
    scale: int = 0


@dataclass(frozen=True)
class Block:
    """Lines of text in one size, for a box `width` pixels wide."""

    lines: list[str]
    font: ImageFont.FreeTypeFont
    width: int

    @property
    def pitch(self) -> int:
        """Pixels from line to line."""
        return sum(self.font.getmetrics()) + 2

    @property
    def height(self) -> int:
        """Pixels with a margin below; 0 without text."""
        return len(self.lines) * self.pitch + 4 if self.lines else 0

    def draw(self, pen: ImageDraw.ImageDraw, left: int, bottom: int) -> None:
        """Centred in the box that ends at `bottom`."""
        for i, line in enumerate(self.lines):
            x = left + (self.width - self.font.getlength(line)) / 2
            pen.text((x, bottom - self.height + i * self.pitch), line, fill="black", font=self.font)


def draw_grid(images: list[Tensor], labels: list[str], title: str = "", style: GridStyle | None = None) -> Tensor:
    """All pictures in one, (1, H, W, 3) in 0..1.

    images   batches (B, H, W, C) in 0..1, C = 1, 3 or 4 (alpha is dropped); enlarged by whole pixels, else unchanged.
    labels   up to one per picture; long ones wrap. ValueError: more labels than pictures.
    """
    style = style or GridStyle()
    tiles = [_rgb(tile) for batch in images for tile in batch]
    if not tiles:
        raise ValueError("There is no picture to show; connect one or more.")
    if len(labels) > len(tiles):
        raise ValueError(
            f"There are {len(labels)} labels for {len(tiles)} pictures; give one label per picture, a line each."
        )
    factor = style.scale or math.ceil(READABLE / max(tile.shape[1] for tile in tiles))
    tiles = [tile.repeat_interleave(factor, 0).repeat_interleave(factor, 1) for tile in tiles]
    columns = min(len(tiles), style.columns or _columns(len(tiles)))
    return _sheet(tiles, labels, title, columns, style)


def label_lines(labels: list[str]) -> list[str]:
    """A list as it is; a single text as its lines."""
    return labels[0].strip("\n").splitlines() if len(labels) == 1 else list(labels)


def wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines at most `width` pixels wide, broken at spaces, and inside a word that is longer than a line."""
    lines = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            joined = f"{line} {word}".strip()
            if font.getlength(joined) <= width:
                line = joined
                continue
            lines += [line] if line else []
            *full, line = _pieces(word, font, width)
            lines += full
        lines.append(line)
    return lines


def _pieces(word: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    pieces = [""]
    for char in word:
        if pieces[-1] and font.getlength(pieces[-1] + char) > width:
            pieces.append("")
        pieces[-1] += char
    return pieces


def _columns(count: int) -> int:
    return count if count <= ONE_ROW else math.ceil(math.sqrt(count))


def _rgb(tile: Tensor) -> Tensor:
    tile = tile[..., :3].float().cpu()
    return tile.expand(-1, -1, 3) if tile.shape[-1] == 1 else tile


def _sheet(tiles: list[Tensor], labels: list[str], title: str, columns: int, style: GridStyle) -> Tensor:
    high, wide = (max(tile.shape[side] for tile in tiles) for side in (0, 1))
    size = style.font_size or max(14, min(48, wide // 14))
    across = columns * wide + (columns - 1) * style.gap
    head = _block(title, size * 5 // 4, across)
    captions = [_block(label, size, wide) for label in labels]
    corners, y = [], style.gap + head.height  # (top, left) of each picture's place
    for first in range(0, len(tiles), columns):
        y += max((block.height for block in captions[first : first + columns]), default=0)
        corners += [(y, style.gap + n * (wide + style.gap)) for n in range(min(columns, len(tiles) - first))]
        y += high + style.gap
    texts = [(head, (style.gap + head.height, style.gap)), *zip(captions, corners, strict=False)]
    sheet = _written(texts, (across + 2 * style.gap, y))
    for tile, (top, left) in zip(tiles, corners, strict=True):
        h, w = tile.shape[:2]
        y, x = top + (high - h) // 2, left + (wide - w) // 2
        sheet[y : y + h, x : x + w] = tile
    return sheet[None]


def _written(texts: list[tuple[Block, tuple[int, int]]], size: tuple[int, int]) -> Tensor:
    """A white sheet of (width, height) with each text above its corner, as (H, W, 3)."""
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    for block, (bottom, left) in texts:
        block.draw(pen, left, bottom)
    return torch.from_numpy(np.array(sheet)).float() / 255


def _block(text: str, size: int, width: int) -> Block:
    font = font_for(text, size)
    return Block(wrap(text, font, width), font, width)
