"""Outline maps of scenes, what TinyScenes' ControlNet draws after: white outlines of the things on black."""

from __future__ import annotations

import numpy as np

from .scenes import SIZE, Scene, distance


def outline(scene: Scene, width: float = 2.5) -> np.ndarray:
    """(128, 128) float32 in 0..1: lines of `width` pixels, soft at their edges, along the inside of every thing."""
    lines = np.zeros((SIZE, SIZE))
    for thing in scene.things:
        d = distance(thing)
        lines = np.maximum(lines, np.clip(0.5 - d, 0, 1) * np.clip(d + width + 0.5, 0, 1))
    return lines.astype(np.float32)
