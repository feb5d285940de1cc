"""Spherical and straight moves between two sets of text vectors (SOURCES 004).

slerp(a, b, t) = sin((1-t) w) / sin(w) * a + sin(t w) / sin(w) * b,  w = angle(a, b)

theta 0 is `a`, 1 is `b`; beyond 0..1 the vectors go on along the same arc or line.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

MODES = ("per_token", "global", "lerp", "nlerp")
PARALLEL = 1e-4  # radians: below, slerp and lerp agree to 1e-9 and sin(w) loses its digits
OPPOSITE = math.pi - 0.0316  # cos = -0.9995: every arc is as short as any other, and 1 / sin(w) explodes


def norm(x: Tensor, dims: tuple[int, ...] = (-1,)) -> Tensor:
    """Euclidean length over `dims`, kept as dimensions of size 1."""
    return torch.linalg.vector_norm(x, dim=dims, keepdim=True)


def angle(a: Tensor, b: Tensor, dims: tuple[int, ...] = (-1,)) -> Tensor:
    """Angle in radians, 0..pi; unlike acos of the dot product it is exact for equal vectors and never NaN."""
    tiny = torch.finfo(a.dtype).tiny
    a, b = a / norm(a, dims).clamp_min(tiny), b / norm(b, dims).clamp_min(tiny)
    return 2 * torch.atan2(norm(a - b, dims), norm(a + b, dims))


def slerp(a: Tensor, b: Tensor, theta: float, dims: tuple[int, ...] = (-1,)) -> Tensor:
    """Spherical interpolation of the vectors that lie along `dims`.

    a, b     (..., N, D), float32 or wider.
    theta    0 = a, 1 = b.
    dims     (-1,) one angle per token; (-2, -1) one angle for all of them.
    Parallel, opposite and zero vectors, which define no arc, take the straight line.
    """
    w = angle(a, b, dims)
    straight = (w < PARALLEL) | (w > OPPOSITE) | (norm(a, dims) == 0) | (norm(b, dims) == 0)
    w = torch.where(straight, math.pi / 2, w)
    arc = torch.sin((1 - theta) * w) / torch.sin(w) * a + torch.sin(theta * w) / torch.sin(w) * b
    return torch.where(straight, torch.lerp(a, b, theta), arc)


def nlerp(a: Tensor, b: Tensor, theta: float) -> Tensor:
    """Direction of the straight line, length between |a| and |b| (outside 0..1 the nearer end's)."""
    line = torch.lerp(a, b, theta)
    length = torch.lerp(norm(a), norm(b), min(max(theta, 0.0), 1.0))
    return line * (length / norm(line).clamp_min(torch.finfo(a.dtype).tiny))


def limit_norm(x: Tensor, a: Tensor, b: Tensor, limit: float) -> Tensor:
    """Shortens each vector of `x` that is longer than `limit` times the longer of its two ends; 0 = off."""
    if not limit:
        return x
    cap = limit * torch.maximum(norm(a), norm(b))
    return x * (cap / norm(x).clamp_min(torch.finfo(x.dtype).tiny)).clamp_max(1)


def move(base: Tensor, end: Tensor, theta: float, mode: str = "per_token", norm_limit: float = 1.5) -> Tensor:
    """`base` moved towards (theta > 0) or away from (theta < 0) `end`, in base's dtype.

    base, end   (B, N, D), any float dtype; the arithmetic is float32 or wider.
    theta       0 = base exactly, 1 = end exactly.
    mode        one of MODES.
    norm_limit  see `limit_norm`; 1 or more, so that both ends keep their length.
    """
    if theta in (0, 1):
        return end.to(base.dtype) if theta else base
    wide = torch.promote_types(base.dtype, torch.float32)
    a, b = base.to(wide), end.to(wide)
    if mode == "nlerp":
        moved = nlerp(a, b, theta)
    elif mode == "lerp":
        moved = torch.lerp(a, b, theta)
    else:
        moved = slerp(a, b, theta, (-2, -1) if mode == "global" else (-1,))
    return limit_norm(moved, a, b, norm_limit).to(base.dtype)
