"""What a run of SemanticGuidance leaves for those who read its handle."""

from __future__ import annotations

import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ...attention.phrases import words
from ...attention.quote import listed
from .concepts import Concept
from .ending import ending
from .maps import Edits, Maps
from .masks import BLACK
from .track import KEY
from .window import MISSED


def unedited(model: ModelPatcher, concepts: tuple[Concept, ...], maps: Maps) -> ModelPatcher:
    """A clone in which no concept acts: those who read the handle find that nothing was edited."""

    def finish(pixels: int, samples: Tensor) -> None:
        if samples.ndim > 3:
            maps.add(edits_of(concepts, [None] * len(concepts), [], pixels, samples))

    return ending(model, finish) if concepts else model.clone()


def edits_of(
    concepts: tuple[Concept, ...], areas: list[Tensor | None], edits: list[tuple], pixels: int, samples: Tensor
) -> Edits:
    """areas: (B, 1, ..., h, w) of each concept, None = it edited nothing. edits: (sigma, edit on the CPU) by steps."""
    shape = (samples.shape[0], 1, *samples.shape[2:])
    area = torch.cat([torch.zeros(shape) if one is None else one.expand(shape).cpu() for one in areas], 1)
    shares = area.reshape(*area.shape[:2], -1, *area.shape[-2:]).mean(2)
    names = tuple(name_of(concept) for concept in concepts)
    stacked = torch.stack([edit for _, edit in edits]) if edits else torch.zeros(0, *samples.shape)
    return Edits(names, shares, tuple(sigma for sigma, _ in edits), stacked, samples.cpu(), pixels)


def unacted(concepts: list[Concept], ran: set[int]) -> list[str]:
    """Why concepts whose places in the list are not in `ran` did nothing, a sentence for each kind of reason."""
    still = [concept for i, concept in enumerate(concepts) if i not in ran]
    dark = [name_of(concept) for concept in still if concept.dark]
    missed = [name_of(concept) for concept in still if not concept.dark]
    says = [BLACK.format(f"The mask of '{listed(dark)}'")] if dark else []
    return [*says, f"Of '{listed(missed)}': {MISSED}"] if missed else says


def name_of(concept: Concept) -> str:
    tag = concept.conditioning[0][1].get(KEY)
    text = " ".join(words(tag)) if tag else f"concept {concept.number + 1}"
    return f"without {text}" if concept.remove else text
