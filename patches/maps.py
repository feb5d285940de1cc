"""The handle on a graph edge that keeps what finished runs looked at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..attention.captured import Captured

KEPT = 8  # finished runs a handle remembers


@dataclass(frozen=True)
class Cuts:
    """The masks that one finished run of LatentCacheInject used, on the CPU."""

    masks: Tensor
    """(cuts * B, h, w) in 0..1 on the latent's grid, all pictures of the first cut first."""
    samples: Tensor
    ratio: int


@dataclass(frozen=True)
class Edits:
    """What one finished run of SemanticGuidance edited, on the CPU."""

    names: tuple[str, ...]
    """The concepts, by their words where those are known."""
    maps: Tensor
    """(B, concepts, h, w) in 0..1: the share of steps and channels in which a cell was edited."""
    sigmas: tuple[float, ...]
    edits: Tensor
    """(steps, B, C, ..., h, w) in eps units, one for each of the sigmas."""
    samples: Tensor
    ratio: int


MAKERS = {Captured: "Attention Capture", Cuts: "Latent Cache Inject", Edits: "Semantic Guidance"}
EMPTY = {
    Captured: "Attention Capture has no maps yet",
    Cuts: "Latent Cache Inject has put nothing back yet, or is off (strength 0, a black mask, no injection in the run)",
    Edits: "Semantic Guidance has edited nothing yet, or is off (no concepts, scale or weight 0, an empty window)",
}


class Maps:
    """LM_MAPS: the handle between a patched MODEL and the nodes that read its maps."""

    def __init__(self) -> None:
        self.runs: list[Captured | Cuts | Edits] = []

    def add(self, captured: Captured | Cuts | Edits) -> None:
        self.runs = [*self.runs, captured][-KEPT:]

    def fit(self, samples: Tensor, kind: type = Captured) -> Captured | Cuts | Edits:
        """The run that made this latent, else the last one of its size; ValueError if there is none of this kind."""
        if not self.runs:
            raise ValueError(f"{EMPTY[kind]}; connect its MODEL to the sampler whose LATENT this is, and run again.")
        if not isinstance(self.runs[-1], kind):
            raise ValueError(f"These maps do not come from {MAKERS[kind]}; connect the maps of that node.")
        same = [run for run in self.runs if run.samples.shape == samples.shape]
        if not same:
            sizes = ", ".join(dict.fromkeys(str(list(run.samples.shape)) for run in self.runs))
            raise ValueError(
                f"No captured run has this LATENT's size {list(samples.shape)}; those captured are {sizes}: connect "
                "the LATENT of the sampler that used the captured MODEL."
            )
        exact = [run for run in same if torch.equal(run.samples, samples.to(run.samples))]
        return (exact or same)[-1]
