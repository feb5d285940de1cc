"""Drawn regions as masks: smooth edges at any size."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...attention.regions import Region
from .shapes import Drawn, Stroke

_ROWS = 4  # lines per pixel row along which areas are measured
_EDGES = 1024  # edges at a time, which bounds the memory
_ROUND = 96  # corners of a round shape


def masked(drawn: list[Drawn], height: int, width: int) -> tuple[list[Region], Tensor]:
    """Regions with their masks, and these as one batch (regions, height, width); a black one if there is none."""
    masks = [rasterise(one, height, width) for one in drawn]
    regions = [
        Region(one.phrase, mask[None], one.strength, one.outside, colour=one.colour, focus=one.focus)
        for one, mask in zip(drawn, masks, strict=True)
    ]
    return regions, torch.stack(masks or [torch.zeros(height, width)])


def rasterise(region: Drawn, height: int, width: int) -> Tensor:
    """(height, width) in 0..1: the share of each pixel inside the region."""
    size = np.array([width, height], dtype=np.float64)
    mask = fill([_base(region, size)], height, width) if region.kind else torch.zeros(height, width)
    for stroke in region.strokes:
        cover = fill(_capsules(stroke, size), height, width)
        mask = mask * (1 - cover) if stroke.erase else torch.maximum(mask, cover)
    return _softened(mask, region.soft * min(width, height))


def fill(polygons: list[np.ndarray], height: int, width: int) -> Tensor:
    """What polygons cover together; each (corners, 2) in pixels, and a hole is where they wind against each other.

    Along each line of pixels an edge adds its direction to all that lies right of it: the sum is how often a place is
    wound around (nonzero rule), and exact in x.
    """
    starts = np.concatenate(polygons)
    ends = np.concatenate([np.roll(polygon, -1, 0) for polygon in polygons])
    top = int(np.floor(starts[:, 1].min()).clip(0, height))
    rows = int(np.ceil(starts[:, 1].max()).clip(0, height)) - top  # the others hold nothing
    starts, ends = starts - (0, top), ends - (0, top)
    total = np.zeros((height, width), dtype=np.float32)
    for part in range(_ROWS):
        steps = np.zeros(rows * (width + 2), dtype=np.float32)
        for i in range(0, len(starts), _EDGES):
            _add_edges(steps, starts[i : i + _EDGES], ends[i : i + _EDGES], (part + 0.5) / _ROWS, (rows, width))
        winding = steps.reshape(rows, width + 2).cumsum(1)[:, :width]
        total[top : top + rows] += np.abs(winding).clip(0, 1)
    return torch.from_numpy(total / _ROWS)


def _add_edges(steps: np.ndarray, a: np.ndarray, b: np.ndarray, offset: float, size: tuple[int, int]) -> None:
    """Adds where edges (n, 2) to (n, 2) cross the lines y = row + offset."""
    height, width = size
    upper, lower = np.minimum(a[:, 1], b[:, 1]), np.maximum(a[:, 1], b[:, 1])
    first = np.ceil(upper - offset).clip(0, height).astype(np.int64)
    count = np.ceil(lower - offset).clip(0, height).astype(np.int64) - first
    edge = np.repeat(np.arange(len(a)), count)
    row = np.arange(len(edge)) - np.repeat(count.cumsum() - count, count) + first[edge]
    (ax, ay), (bx, by) = a[edge].T, b[edge].T
    x = (ax + (row + offset - ay) * (bx - ax) / (by - ay)).clip(0, width)
    sign, cell = np.sign(by - ay), np.floor(x).astype(np.int64)
    at = row * (width + 2) + cell
    np.add.at(steps, at, sign * (1 - (x - cell)))
    np.add.at(steps, at + 1, sign * (x - cell))


def _base(region: Drawn, size: np.ndarray) -> np.ndarray:
    points = np.array(region.points) * size
    if region.kind == "polygon":
        return points
    (left, top), (right, bottom) = points
    if region.kind == "box":
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    turn = np.linspace(0, 2 * math.pi, _ROUND, endpoint=False)
    return points.mean(0) + (points[1] - points[0]) / 2 * np.stack([np.cos(turn), np.sin(turn)], 1)


def _capsules(stroke: Stroke, size: np.ndarray) -> list[np.ndarray]:
    """A round-ended polygon per piece of the line, all wound the same way, so that they add up to their union."""
    points = np.array(stroke.points) * size
    pairs = list(zip(points[:-1], points[1:], strict=True)) or [(points[0], points[0])]
    half = np.linspace(-math.pi / 2, math.pi / 2, _ROUND // 2)
    radius = stroke.size * size.min() / 2
    return [_capsule(a, b, radius, half) for a, b in pairs]


def _capsule(a: np.ndarray, b: np.ndarray, radius: float, half: np.ndarray) -> np.ndarray:
    angle = math.atan2(b[1] - a[1], b[0] - a[0])
    arcs = [(b, angle + half), (a, angle + math.pi + half)]
    return np.concatenate([end + radius * np.stack([np.cos(turn), np.sin(turn)], 1) for end, turn in arcs])


def _softened(mask: Tensor, width: float) -> Tensor:
    """Edges that rise over `width` pixels; the picture's border stays as it is."""
    reach = round(width / 4)
    if not reach:
        return mask
    for _ in range(2):
        for pad in ((reach, reach, 0, 0), (0, 0, reach, reach)):
            window = (1, 2 * reach + 1) if pad[0] else (2 * reach + 1, 1)
            mask = F.avg_pool2d(F.pad(mask[None, None], pad, mode="replicate"), window, 1)[0, 0]
    return mask.clamp(0, 1)
