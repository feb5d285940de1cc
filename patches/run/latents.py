"""Latents that users give, as the host would sample them."""

from __future__ import annotations

import comfy.latent_formats as formats
import torch
from comfy.model_patcher import ModelPatcher
from comfy.sample import fix_empty_latent_channels
from torch import Tensor


def as_sampled(model: ModelPatcher, samples: Tensor) -> Tensor:
    """(B, C, h, w), or for video models (B, C, frames, h, w): a picture is a video of one frame, sound is left out.

    ValueError: sound or shapes alone, or channels of another kind of model. An empty latent takes the model's own.
    """
    samples = video_part(samples)
    if samples.ndim < 4:
        raise ValueError("The latent holds sound or shapes, not a picture or a video; give one of VAE Encode.")
    fitted = video_part(fix_empty_latent_channels(model, samples))
    wanted = _channels(model.get_model_object("latent_format"))
    if fitted.shape[1] != wanted:
        raise ValueError(
            f"The latent has {fitted.shape[1]} channels, but those of this model have {wanted}; encode the picture "
            "with the VAE of the model that samples."
        )
    return fitted


def video_part(samples: Tensor) -> Tensor:
    """The first part of a latent that holds video and sound, else the latent."""
    return samples.unbind()[0] if samples.is_nested else samples


def pixels_per_cell(latent: dict) -> int:
    """Of a LATENT, along each side: as the host marked it, else as of the host's formats with as many channels.

    8 where these do not agree, or there is none.
    """
    samples = video_part(latent["samples"])
    kind = samples.shape[1], samples.ndim - 2
    known = [one for one in vars(formats).values() if isinstance(one, type) and hasattr(one, "latent_channels")]
    sizes = {one.spacial_downscale_ratio for one in known if (one.latent_channels, one.latent_dimensions) == kind}
    return latent.get("downscale_ratio_spacial") or (sizes.pop() if len(sizes) == 1 else 8)


def _channels(latent_format: object) -> int:
    """Of a picture or video; a format of video and sound names the larger number of the two."""
    channels = latent_format.latent_channels
    if hasattr(latent_format, "fix_empty_latent"):
        return video_part(latent_format.fix_empty_latent(torch.zeros(1, channels, 1, 1, 1))).shape[1]
    return channels
