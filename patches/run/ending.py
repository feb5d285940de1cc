"""What a node that is off still does: it keeps a record of the run, and changes nothing in it."""

from __future__ import annotations

from collections.abc import Callable

from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from .packed import video_of


def ending(model: ModelPatcher, finish: Callable[[int, Tensor], None]) -> ModelPatcher:
    """A clone whose runs are the plain model's, compiled or not. finish(pixels per latent cell, samples) ends them."""

    def outer_sample(executor, *args, **kwargs):
        samples, shapes = executor(*args, **kwargs), kwargs.get("latent_shapes") or []
        video = video_of(samples, shapes)
        finish(model.get_model_object("latent_format").spacial_downscale_ratio, video)
        return samples

    patched = model.clone()
    patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, "lm_ending", outer_sample)
    return patched
