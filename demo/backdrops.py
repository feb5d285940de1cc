"""Backgrounds and styles of TinyScenes: smooth pictures of 128x128 made by formulas, with small seeded variations."""

from __future__ import annotations

import numpy as np

SIZE = 128
STYLES = ("", "at sunset", "in fog", "as a sketch")
BACKGROUNDS = {
    "grass": "on grass",
    "beach": "on a beach",
    "snow": "in the snow",
    "night sky": "in the night sky",
    "brick wall": "in front of a brick wall",
    "water": "on the water",
}


def _mix(a, b, t: np.ndarray) -> np.ndarray:
    """Colours a and b (3,) blended by t (H, W) in 0..1."""
    return np.asarray(a) * (1 - t[..., None]) + np.asarray(b) * t[..., None]


def _grass(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    shift = rng.uniform(0, 16)
    blades = np.sin((x + shift + 2 * np.sin(y * 0.2)) * 2 * np.pi / 16) * 0.5 + 0.5
    return _mix(_mix((0.42, 0.72, 0.28), (0.22, 0.50, 0.14), y / SIZE), (0.62, 0.80, 0.30), blades * 0.35)


def _beach(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    sea = rng.uniform(34, 46)
    shore = sea + 16 + 3 * np.sin(x * 2 * np.pi / 64 + rng.uniform(0, 6))
    sky = _mix((0.45, 0.74, 0.95), (0.78, 0.90, 0.98), np.clip(y / sea, 0, 1))
    sand = _mix((0.93, 0.83, 0.60), (0.85, 0.70, 0.45), np.clip((y - shore) / 70, 0, 1))
    ground = _mix((0.12, 0.50, 0.70), (0, 0, 0), np.zeros_like(y))
    ground = ground + (sand - ground) * np.clip((y - shore) / 2 + 0.5, 0, 1)[..., None]
    return sky + (ground - sky) * np.clip(y - sea + 0.5, 0, 1)[..., None]


def _snow(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    hill = 58 + 10 * np.sin(x * 2 * np.pi / 128 + rng.uniform(0, 6))
    sky = _mix((0.70, 0.78, 0.88), (0.84, 0.89, 0.94), np.clip(y / 60, 0, 1))
    ground = _mix((0.98, 0.99, 1.0), (0.86, 0.91, 0.98), np.clip((y - hill) / 70, 0, 1))
    return sky + (ground - sky) * np.clip((y - hill) / 2 + 0.5, 0, 1)[..., None]


def _night_sky(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    sky = _mix((0.02, 0.03, 0.12), (0.10, 0.09, 0.30), y / SIZE)
    lights = np.zeros_like(x)
    stars = np.random.default_rng(3).uniform(0, SIZE, (10, 2)) + rng.uniform(0, SIZE, 2)
    for cx, cy in stars % SIZE:
        lights = np.maximum(lights, np.clip(2.6 - np.hypot(x - cx, y - cy), 0, 1))
    return sky * (1 - lights[..., None]) + 0.92 * lights[..., None]


def _brick_wall(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    row = np.floor(y / 16)
    along = (x + np.where(row % 2 == 0, 0, 16) + 4) % 32
    gap = np.minimum(np.minimum(along, 32 - along), np.minimum(y % 16, 16 - y % 16))
    shade = rng.uniform(-0.04, 0.04)
    return _mix((0.80, 0.76, 0.70), (0.60 + shade, 0.30 + shade, 0.24 + shade), np.clip(gap - 0.8, 0, 1))


def _water(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    shift = rng.uniform(0, 20)
    crest = np.sin((y + shift + 3 * np.sin(x * 2 * np.pi / 32)) * 2 * np.pi / 20)
    return _mix(_mix((0.12, 0.50, 0.72), (0.04, 0.26, 0.52), y / SIZE), (0.70, 0.90, 0.96), np.clip(crest, 0, 1) * 0.5)


_DRAW = {
    "grass": _grass,
    "beach": _beach,
    "snow": _snow,
    "night sky": _night_sky,
    "brick wall": _brick_wall,
    "water": _water,
}


def draw_background(name: str, seed: int) -> np.ndarray:
    """The background `name`, (128, 128, 3) in 0..1; `seed` moves waves, horizon and stars a little."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    return _DRAW[name](x, y, np.random.default_rng(seed))


def tint(picture: np.ndarray, style: str, strength: float) -> np.ndarray:
    """`picture` (128, 128, 3) in the colours of a style; strength 0 leaves it, 1 is how backgrounds look."""
    y = (np.mgrid[0:SIZE, 0:SIZE][0] / SIZE)[..., None]
    if style == "at sunset":
        styled = picture * (0.95, 0.66, 0.55) + np.array((0.42, 0.12, 0.06)) * (1 - y)
    elif style == "in fog":
        styled = picture + (np.array((0.80, 0.82, 0.84)) - picture) * (0.72 - 0.2 * y)
    elif style == "as a sketch":
        grey = picture @ np.array((0.35, 0.45, 0.2))
        styled = 0.62 + 0.36 * grey[..., None] * np.array((1.0, 0.98, 0.92))
    else:
        return picture
    return np.clip(picture + (styled - picture) * strength, 0, 1)
