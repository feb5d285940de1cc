"""Muon for the weight matrices of the network, AdamW for everything else."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def orthogonal(g: Tensor, steps: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrix to g (m, n), by a quintic Newton-Schulz iteration (Jordan et al. 2024)."""
    x = g.bfloat16() / (g.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return (x.T if tall else x).to(g.dtype)


class Muon(torch.optim.Optimizer):
    """Momentum whose step is made orthogonal, scaled to the root mean square of an AdamW step (Moonshot 2025)."""

    def __init__(self, params, lr: float = 1e-3, momentum: float = 0.95, weight_decay: float = 0.01):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                g = p.grad.lerp(buffer, group["momentum"]).flatten(1)
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(orthogonal(g).view_as(p), alpha=-group["lr"] * 0.2 * max(g.shape) ** 0.5)


def optimizers(named: list[tuple[str, nn.Parameter]]) -> list[torch.optim.Optimizer]:
    """Inner matrices and kernels with at least 48 rows go to Muon; vectors, embeddings and the two ends to AdamW."""
    inner = [p for n, p in named if p.ndim > 1 and min(p.shape[0], p[0].numel()) >= 48 and "embedding" not in n]
    chosen = {id(p) for p in inner}
    rest = [p for _, p in named if id(p) not in chosen]
    return [Muon(inner), torch.optim.AdamW(rest, betas=(0.9, 0.99), weight_decay=0.01)]


def schedule(rate: float, step: int, done: float) -> float:
    """Learning rate: 200 steps of warm-up, then a cosine down to 2 %. done: 0..1 of the run."""
    return rate * min(1, (step + 1) / 200) * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
