"""Training in several processes of one thread each, which keeps its speed on a busy machine (see README.md)."""

from __future__ import annotations

import copy

import torch
import torch.multiprocessing as mp
from torch import nn

from .data import WORK
from .optimizer import optimizers


class Shared:
    """What the workers share: networks, their average, everyone's gradients, and how far the run is."""

    def __init__(self, network: nn.Module, workers: int):
        self.network = network.share_memory()
        self.average = copy.deepcopy(self.network).requires_grad_(False).share_memory()
        self.gradients = [torch.zeros(workers, *p.shape).share_memory_() for p in self.network.parameters()]
        self.progress = torch.zeros(2, dtype=torch.float64).share_memory_()  # minutes, steps
        self.barrier = mp.get_context("fork").Barrier(workers)

    def save(self) -> None:
        state = {"network": self.network.state_dict(), "average": self.average.state_dict(), "progress": self.progress}
        torch.save(state, WORK / "unet.part")
        (WORK / "unet.part").rename(WORK / "unet.pt")

    def load(self) -> None:
        state = torch.load(WORK / "unet.pt")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.progress.copy_(state["progress"])


class Share:
    """One worker's part of the parameters: it averages everybody's gradients of them and updates them for all."""

    def __init__(self, shared: Shared, rank: int, workers: int):
        named = list(enumerate(shared.network.named_parameters()))
        average = list(shared.average.parameters())
        largest = sorted(named, key=lambda item: -item[1][1].numel())
        self.mine = [(p, average[i], shared.gradients[i]) for i, (_, p) in largest[rank::workers]]
        self.optimizers = optimizers([(n, p) for _, (n, p) in largest[rank::workers]])
        self.path = WORK / f"unet-optimizer-{rank}.pt"

    def update(self, rate: float, keep: float) -> None:
        for p, _, gradients in self.mine:
            p.grad = gradients.mean(0)
        for optimizer in self.optimizers:
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
        torch._foreach_lerp_([a for _, a, _ in self.mine], [p.detach() for p, _, _ in self.mine], 1 - keep)

    def save(self) -> None:
        torch.save([o.state_dict() for o in self.optimizers], self.path)

    def load(self) -> None:
        for optimizer, saved in zip(self.optimizers, torch.load(self.path), strict=True):
            optimizer.load_state_dict(saved)
