"""Pictures with the look of a reference, by TinyScenes' IP-Adapter in the real pack, and whether they have it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..demo import judge
from ..demo.scenes import Scene, random_scene, render
from ..demo.train.data import TEST_SEED
from ..tools.packs import imported


def references(first: int, count: int) -> list[Scene]:
    """Held-out scenes of one thing from number `first` on."""
    return [random_scene(np.random.default_rng((TEST_SEED, 5, n)), 1) for n in range(first, first + count)]


def pictures(of: list[Scene]) -> Tensor:
    """IMAGE (B, 128, 128, 3)."""
    return torch.from_numpy(np.stack([render(scene)[0] for scene in of]))


def adapted(model, adapter: tuple, reference: Tensor, weight: float = 1.0, each: bool = False, **options):
    """A clone of the model by ComfyUI_IPAdapter_plus' IPAdapterAdvanced, whose folder LATENT_MANIPULATION_PACKS names.

    adapter: IPADAPTER and CLIP_VISION. reference: (N, H, W, 3), all for every picture, or one for each of a batch (by
    IPAdapterBatch). options: attn_mask, weight_type, start_at, end_at. FileNotFoundError: the pack is not here.
    """
    pack, (given, clip_vision) = imported("ComfyUI_IPAdapter_plus", "IPAdapterPlus"), adapter
    node = pack.IPAdapterBatch() if each else pack.IPAdapterAdvanced()
    return node.apply_ipadapter(model, given, image=reference, clip_vision=clip_vision, weight=weight, **options)[0]


def taken(reference: Scene, reading: judge.Reading) -> dict[str, bool]:
    """Whether a picture has the reference's colour (some thing in it), background and style."""
    colour = any(thing.colour == reference.things[0].colour for thing in reading.things)
    rest = {name: getattr(reading, name) == getattr(reference, name) for name in ("background", "style")}
    return {"colour": colour, **rest}
