"""Latents in which the host packs a video and its sound, (B, 1, N): effects see and change the video alone."""

from __future__ import annotations

from collections.abc import Sequence

from comfy.utils import pack_latents, unpack_latents
from torch import Tensor

Shapes = Sequence[Sequence[int]]
"""As the host gives them: of the latent, or of the video, (B, C, frames, h, w), and the sound packed with it."""


def packed(shapes: Shapes) -> bool:
    """Whether there is a sound."""
    return len(shapes) > 1


def video_of(x: Tensor, shapes: Shapes) -> Tensor:
    """The picture or video in a latent of any number of rows."""
    return unpack_latents(x, shapes)[0] if packed(shapes) else x


def with_video(x: Tensor, video: Tensor, shapes: Shapes) -> Tensor:
    """The latent with another video in it, and its own sound, of which one serves all."""
    if not packed(shapes):
        return video
    sounds = [sound.expand(len(video), *sound.shape[1:]) for sound in unpack_latents(x, shapes)[1:]]
    return pack_latents([video, *sounds])[0]
