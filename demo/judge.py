"""A small network that reads TinyScenes pictures: what stands in every 8x8 cell, and background and style."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .backdrops import BACKGROUNDS, SIZE, STYLES
from .scenes import COLOURS, SHAPES
from .trunk import CELL, SUMMARY, Trunk

CELLS = 16  # a picture is read in 16x16 cells
INSIDE, OUTSIDE = 0.35, 0.1  # of a cell: an object that covers more is there, one that covers no more is not
WEIGHTS = Path(__file__).parent / "weights" / "judge.safetensors"
HEADS = {"shape": ("none", *SHAPES), "colour": tuple(COLOURS), "texture": ("plain", "striped")}
WHOLE = {"background": tuple(BACKGROUNDS), "style": STYLES}


class Judge(Trunk):
    """Pictures (B, 3, 128, 128) in -1..1 -> logits: (B, n, 16, 16) per cell and (B, n) for the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({name: nn.Conv2d(CELL, len(values), 1) for name, values in HEADS.items()})
        self.whole = nn.ModuleDict({name: nn.Linear(SUMMARY, len(values)) for name, values in WHOLE.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        cells, summary = self.features(x)
        return {n: head(cells) for n, head in self.heads.items()} | {n: head(summary) for n, head in self.whole.items()}


@dataclass(frozen=True)
class Found:
    """One object in a picture, with the cells (16, 16) bool that it covers."""

    shape: str
    colour: str
    striped: bool
    cells: np.ndarray


@dataclass(frozen=True)
class Reading:
    """What the judge sees. `styles` and `backgrounds` are probabilities by name."""

    background: str
    style: str
    things: tuple[Found, ...]
    backgrounds: dict[str, float]
    styles: dict[str, float]

    def of(self, shape: str, colour: str) -> list[Found]:
        """The objects of this shape and colour."""
        return [thing for thing in self.things if (thing.shape, thing.colour) == (shape, colour)]

    def has(self, shape: str, colour: str) -> bool:
        return bool(self.of(shape, colour))


def load() -> Judge:
    from safetensors.torch import load_file

    judge = Judge()
    judge.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
    return judge.requires_grad_(False)


def coverage(masks: np.ndarray) -> np.ndarray:
    """The share of every cell (n, 16, 16) that masks (n, 128, 128) cover; between OUTSIDE and INSIDE either answer is
    right: the judge was not trained on these."""
    return masks.reshape(-1, CELLS, SIZE // CELLS, CELLS, SIZE // CELLS).mean((2, 4))


def overlap(cells: np.ndarray, share: np.ndarray) -> float:
    """IoU of the cells (16, 16) of an object found with those of which a mask covers a share (16, 16) over INSIDE."""
    there, counted = share > INSIDE, (share > INSIDE) | (share <= OUTSIDE)
    return float((cells & there).sum() / ((cells | there) & counted).sum())


def islands(cells: np.ndarray) -> list[np.ndarray]:
    """The 4-connected parts of a (16, 16) bool map, largest first."""
    left, parts = cells.copy(), []
    while left.any():
        part = np.zeros_like(left)
        part[tuple(np.argwhere(left)[0])] = True
        while True:
            padded = np.pad(part, 1)
            grown = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:] | part
            if (grown & left == part).all():
                break
            part = grown & left
        parts.append(part)
        left &= ~part
    return sorted(parts, key=lambda part: -part.sum())


def _things(shape: np.ndarray, colour: np.ndarray, texture: np.ndarray) -> tuple[Found, ...]:
    """Objects from probabilities (n, 16, 16): islands of one colour and shape, 3 cells or more (the rest is noise)."""
    found = []
    kind = shape.argmax(0) * 100 + colour.argmax(0)  # neighbours differ in shape or colour
    for one in np.unique(kind[shape[0] < 0.5]):
        for part in islands((kind == one) & (shape[0] < 0.5)):
            if part.sum() >= 3:
                look = [p[:, part].mean(1) for p in (shape[1:], colour, texture)]
                name, hue, pattern = (int(p.argmax()) for p in look)
                found.append(Found(SHAPES[name], HEADS["colour"][hue], bool(pattern), part))
    return tuple(found)


@torch.no_grad()
def read(judge: Judge, pictures: Tensor) -> list[Reading]:
    """Readings of IMAGE pictures (B, 128, 128, 3) in 0..1, as the host's VAEDecode returns them."""
    out = judge(pictures.movedim(-1, 1).float() * 2 - 1)
    p = {name: logits.softmax(1).numpy() for name, logits in out.items()}
    readings = []
    for i in range(len(pictures)):
        names = {n: dict(zip(WHOLE[n], p[n][i].tolist(), strict=True)) for n in WHOLE}
        best = {n: max(values, key=values.get) for n, values in names.items()}
        things = _things(p["shape"][i], p["colour"][i], p["texture"][i])
        readings.append(Reading(best["background"], best["style"], things, names["background"], names["style"]))
    return readings
