"""Latents that users give, as the host would sample them."""

from __future__ import annotations

from comfy.model_patcher import ModelPatcher
from comfy.sample import fix_empty_latent_channels
from torch import Tensor


def as_sampled(model: ModelPatcher, samples: Tensor) -> Tensor:
    """(B, C, h, w), or for video models (B, C, frames, h, w): a picture is a video of one frame.

    ValueError: sound or shapes, or channels of another kind of model. An empty latent takes the model's own.
    """
    if samples.is_nested or samples.ndim < 4:
        raise ValueError("The latent holds sound or shapes, not a picture or a video; give one of VAE Encode.")
    fitted = fix_empty_latent_channels(model, samples)
    wanted = model.get_model_object("latent_format").latent_channels
    if fitted.shape[1] != wanted:
        raise ValueError(
            f"The latent has {fitted.shape[1]} channels, but those of this model have {wanted}; encode the picture "
            "with the VAE of the model that samples."
        )
    return fitted
