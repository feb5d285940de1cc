"""What a run of SemanticGuidance leaves for those who read its handle."""

from __future__ import annotations

import torch
from torch import Tensor

from ..attention.phrases import words
from .concepts import Concept
from .maps import Edits, Maps
from .run import Effect, Run
from .track import KEY


class Unedited(Effect):
    """One run in which no concept acts: those who read the handle find that nothing was edited."""

    node = "Semantic Guidance"

    def __init__(self, concepts: tuple[Concept, ...], maps: Maps) -> None:
        self.concepts, self.maps = concepts, maps

    def finish(self, run: Run, samples: Tensor) -> None:
        if self.concepts and samples.ndim > 3:
            self.maps.add(edits_of(self.concepts, [None] * len(self.concepts), [], run, samples))


def edits_of(
    concepts: tuple[Concept, ...], areas: list[Tensor | None], edits: list[tuple], run: Run, samples: Tensor
) -> Edits:
    """areas: (B, 1, ..., h, w) of each concept, None = it edited nothing. edits: (sigma, edit) of each step."""
    shape = (samples.shape[0], 1, *samples.shape[2:])
    area = torch.cat([torch.zeros(shape) if one is None else one.expand(shape).cpu() for one in areas], 1)
    shares = area.reshape(*area.shape[:2], -1, *area.shape[-2:]).mean(2)
    names = tuple(name_of(i, concept) for i, concept in enumerate(concepts))
    stacked = torch.stack([edit.cpu() for _, edit in edits]) if edits else torch.zeros(0, *samples.shape)
    return Edits(names, shares, tuple(sigma for sigma, _ in edits), stacked, samples.cpu(), run.pixels)


def name_of(i: int, concept: Concept) -> str:
    tag = concept.conditioning[0][1].get(KEY)
    text = " ".join(words(tag)) if tag else f"concept {i + 1}"
    return f"without {text}" if concept.remove else text
