"""When an effect acts: start and end percent as noise levels."""

from __future__ import annotations

from dataclasses import dataclass

import torch

MISSED = "No step of this run lies between start and end percent, so it did nothing; widen them, or take more steps."


@dataclass(frozen=True)
class Window:
    """From start to end percent of the noise schedule, as the host counts its own ranges."""

    start: float = 0.0
    end: float = 1.0

    @property
    def empty(self) -> bool:
        return self.start >= self.end

    def contains(self, sigma: float, sampling: object) -> bool:
        """Whether a noise level is inside, both ends included; an empty window holds none.

        sampling: the model's model_sampling.
        """
        if self.empty:
            return False
        edges = [float(sampling.percent_to_sigma(percent)) for percent in (self.start, self.end)]
        first, last = torch.tensor(edges, dtype=torch.float32).tolist()  # as exact as the sigmas of a schedule
        return last <= sigma <= first
