"""The handle on a graph edge that keeps what finished runs looked at."""

from __future__ import annotations

import torch
from torch import Tensor

from ..attention.captured import Captured

KEPT = 8  # finished runs a handle remembers


class Maps:
    """LM_MAPS: the handle between a patched MODEL and the nodes that read its maps."""

    def __init__(self) -> None:
        self.runs: list[Captured] = []

    def add(self, captured: Captured) -> None:
        self.runs = [*self.runs, captured][-KEPT:]

    def fit(self, samples: Tensor) -> Captured:
        """The run that made this latent, else the last one of its size; ValueError if there is none."""
        if not self.runs:
            raise ValueError(
                "Attention Capture has no maps yet; connect its MODEL to the sampler whose LATENT this is, and run again."
            )
        same = [run for run in self.runs if run.samples.shape == samples.shape]
        if not same:
            sizes = ", ".join(dict.fromkeys(str(list(run.samples.shape)) for run in self.runs))
            raise ValueError(
                f"No captured run has this LATENT's size {list(samples.shape)}; those captured are {sizes}: connect the "
                "LATENT of the sampler that used the captured MODEL."
            )
        exact = [run for run in same if torch.equal(run.samples, samples.to(run.samples))]
        return (exact or same)[-1]
