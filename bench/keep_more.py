"""Kept subjects with their own pixels, somewhere else, and two from two pictures."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ..nodes.drawing.soft import feathered, shrunk
from ..patches.inject import InjectSettings, inject
from ..patches.run.masks import on_latent
from ..patches.run.moved import Place
from .keep_cases import drawn
from .keeping import GROW, Keeper, grown


def own_pixels(keeper: Keeper, pictures: Tensor) -> Tensor:
    """Pictures (N, 128, 128, 3) with those that were kept put in: Image Composite Masked by Injected Masks, a cell
    smaller and soft over a cell."""
    cells = on_latent(grown(keeper.masks), tuple(keeper.latents.shape))[:, 0]
    masks = cells.repeat_interleave(GROW, 1).repeat_interleave(GROW, 2)
    weights = feathered(shrunk(masks, GROW), GROW)[..., None]
    return pictures + weights * (keeper.pictures - pictures)


def error_inside(keeper: Keeper, pictures: Tensor) -> float:
    """Root mean square from the kept pictures, in 0..1, over the objects without the cell along their edge."""
    inside = shrunk(keeper.masks, GROW) > 0.5
    return float((pictures - keeper.pictures)[inside].square().mean().sqrt())


def moved(keeper: Keeper, settings: InjectSettings):
    """Rows -> the model that puts each subject into the box round its new place."""
    boxes = grown(torch.stack([drawn(case.asked)[1][0] for case in keeper.cases]))

    def patch(rows: slice):
        placed = replace(settings, place=Place(region=boxes[rows]))
        return inject(keeper.model, keeper.latents[rows], grown(keeper.masks[rows]), placed)[0]

    return patch


def both(one: Keeper, other: Keeper, settings: InjectSettings):
    """Rows -> the model that gets the subjects of two pictures back."""

    def patch(rows: slice):
        model = one.model
        for keeper in (one, other):
            model = inject(model, keeper.latents[rows], grown(keeper.masks[rows]), settings)[0]
        return model

    return patch
