"""The world of TinyScenes: 128x128 pictures of shapes before a backdrop, drawn by code with their ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .backdrops import BACKGROUNDS, SIZE, STYLES, draw_background, tint

SHAPES = ("circle", "square", "triangle", "star", "ring", "cross")
COLOURS = {
    "red": (0.86, 0.10, 0.12),
    "orange": (0.98, 0.50, 0.05),
    "yellow": (0.98, 0.90, 0.15),
    "green": (0.10, 0.62, 0.20),
    "blue": (0.10, 0.28, 0.88),
    "purple": (0.50, 0.15, 0.68),
    "pink": (0.98, 0.52, 0.74),
    "white": (0.97, 0.97, 0.97),
}
RELATIONS = ("and", "left of", "right of", "above", "below")


@dataclass(frozen=True)
class Thing:
    """One object: what it is, and its centre and radius in pixels."""

    shape: str
    colour: str
    striped: bool
    x: float
    y: float
    radius: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """left, top, right, bottom in pixels."""
        return self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius


@dataclass(frozen=True)
class Scene:
    """Everything a picture shows. `seed` fixes the small variations of the backdrop."""

    things: tuple[Thing, ...]
    background: str
    style: str
    relation: str = "and"
    seed: int = 0


def random_thing(rng: np.random.Generator, x: float, y: float, radius: float) -> Thing:
    shape, colour = rng.choice(SHAPES), rng.choice(list(COLOURS))
    return Thing(str(shape), str(colour), bool(rng.random() < 0.35), float(x), float(y), float(radius))


def random_scene(rng: np.random.Generator, things: int | None = None) -> Scene:
    """A scene with 0, 1 or 2 objects (5, 50, 45 %), or with `things` of them."""
    count = int(rng.choice(3, p=(0.05, 0.5, 0.45))) if things is None else things
    background = str(rng.choice(list(BACKGROUNDS)))
    style = str(rng.choice(STYLES, p=(0.4, 0.2, 0.2, 0.2)))
    seed = int(rng.integers(1 << 30))
    if count < 2:
        radius = rng.uniform(20, 34, count)
        placed = tuple(random_thing(rng, *rng.uniform(r + 2, SIZE - r - 2, 2), r) for r in radius)
        return Scene(placed, background, style, "and", seed)
    relation = str(rng.choice(RELATIONS))
    return Scene(_two_things(rng, relation), background, style, relation, seed)


def _two_things(rng: np.random.Generator, relation: str) -> tuple[Thing, Thing]:
    """Two objects that do not touch, of different looks, the first one where `relation` says."""
    ra, rb = rng.uniform(16, 25, 2)
    while True:
        ax, ay = rng.uniform(ra + 2, SIZE - ra - 2, 2)
        bx, by = rng.uniform(rb + 2, SIZE - rb - 2, 2)
        across, down = bx - ax, by - ay
        if max(abs(across), abs(down)) < ra + rb + 4:
            continue
        along = {"left of": across, "right of": -across, "above": down, "below": -down}.get(relation)
        other = abs(down) if relation in ("left of", "right of") else abs(across)
        if along is None or (along > ra + rb + 4 and along > other):
            break
    first = random_thing(rng, ax, ay, ra)
    while True:
        second = random_thing(rng, bx, by, rb)
        if (second.shape, second.colour) != (first.shape, first.colour):
            return first, second


def _polygon(u: np.ndarray, v: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Signed distance to a closed polygon with corners (n, 2); negative inside."""
    nearest, sign = np.full(u.shape, np.inf), np.ones(u.shape)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, 1, 0), strict=True):
        ex, ey, px, py = bx - ax, by - ay, u - ax, v - ay
        t = np.clip((px * ex + py * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, (px - t * ex) ** 2 + (py - t * ey) ** 2)
        crosses = (v >= ay) != (v >= by)
        left = px * ey - py * ex
        sign = np.where(crosses & ((left < 0) == (ey > 0)), -sign, sign)
    return sign * np.sqrt(nearest)


def _corners(shape: str) -> np.ndarray:
    if shape == "square":
        return np.array([(-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86)])
    if shape == "triangle":
        return np.array([(0.0, -1.0), (1.0, 0.8), (-1.0, 0.8)])
    if shape == "star":
        angle = np.arange(10) * np.pi / 5 - np.pi / 2
        radius = np.where(np.arange(10) % 2 == 0, 1.05, 0.46)
        return np.stack((radius * np.cos(angle), radius * np.sin(angle)), 1)
    a, b = 0.34, 1.0  # cross
    return np.array(
        [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]
    )


def distance(thing: Thing) -> np.ndarray:
    """Signed distance of every pixel (SIZE, SIZE) to the outline of `thing`, in pixels, negative inside."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    u, v = (x - thing.x) / thing.radius, (y - thing.y) / thing.radius
    if thing.shape == "circle":
        d = np.hypot(u, v) - 1
    elif thing.shape == "ring":
        d = np.abs(np.hypot(u, v) - 0.74) - 0.27
    else:
        d = _polygon(u, v, _corners(thing.shape))
    return d * thing.radius


def _fill(thing: Thing, style: str) -> np.ndarray:
    """Colour of every pixel of a thing (SIZE, SIZE, 3): flat, or with dark upright stripes."""
    colour = np.broadcast_to(np.array(COLOURS[thing.colour]), (SIZE, SIZE, 3)).copy()
    if thing.striped:
        x = np.mgrid[0:SIZE, 0:SIZE][1] + 0.5 - thing.x
        dark = np.clip(np.sin(x * 2 * np.pi / 11) * 2.5 + 0.5, 0, 1)[..., None]
        colour *= 1 - 0.72 * dark
    return tint(colour, style, 0.5)


def render(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Draw a scene: picture (128, 128, 3) float32 in 0..1 and one soft mask per object (n, 128, 128) float32."""
    picture = tint(draw_background(scene.background, scene.seed), scene.style, 1.0)
    masks = np.zeros((len(scene.things), SIZE, SIZE), np.float32)
    width = 3.0 if scene.style == "as a sketch" else 2.0
    for i, thing in enumerate(scene.things):
        d = distance(thing)
        inside, line = np.clip(0.5 - d, 0, 1), np.clip(0.5 - d, 0, 1) * np.clip(d + width + 0.5, 0, 1)
        colour = _fill(thing, scene.style) * (1 - 0.8 * line[..., None])
        picture = picture * (1 - inside[..., None]) + colour * inside[..., None]
        masks[i] = inside
    return picture.astype(np.float32), masks
