"""Every family of tests/tiny_families.py with latents and tagged conditionings that fit it.

family = FAMILIES["flux"]
positive, negative = family.conditioning("a red dog and a blue cat"), family.conditioning("")
out = sample(family.model(), family.latent(batch=2, height=15, width=17), positive, negative)
"""

from __future__ import annotations

import atexit
import gc
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from pack.tests import tiny_families as tiny
from pack.tests import tiny_unet
from torch import Tensor

PROMPT = "a red dog and a blue cat"


@dataclass(frozen=True)
class Family:
    """A model and what fits it."""

    model: Callable
    """-> ModelPatcher, always the same one: clone it."""
    channels: int
    """Of a latent."""
    context: int
    """Channels of a text row."""
    rows: int
    """Rows of a conditioning."""
    patch: int = 1
    """Latent cells along one side of a token, where attention is finest."""
    joint: bool = False
    """Text and image in one sequence, text first; otherwise cross-attention."""
    pooled: int = 0
    """Channels of `pooled_output`; 0 is none."""
    video: bool = False
    """Latents have an axis of frames."""

    def latent(self, batch: int = 1, height: int = 16, width: int = 16, frames: int = 1) -> Tensor:
        """Zeros, (B, C, H, W), or (B, C, frames, H, W) of a video model."""
        middle = (frames,) if self.video else ()
        return torch.zeros(batch, self.channels, *middle, height, width)

    def grid(self, latent: Tensor) -> tuple[int, int]:
        """Tokens along height and width, where attention is finest."""
        return -(-latent.shape[-2] // self.patch), -(-latent.shape[-1] // self.patch)

    def conditioning(self, prompt: str = PROMPT, rows: int | None = None) -> list:
        """One entry, tagged: word i of the prompt is row i + 1; the same word in the same row is the same vector."""
        from pack.attention.phrases import Encoder, Piece, Tag
        from pack.patches.run.track import KEY

        rows, words = rows or self.rows, prompt.split()
        texts = ["start", *words, *["end"] * (rows - 1 - len(words))]
        text = torch.stack([_vector(f"{i} {word}", self.context) for i, word in enumerate(texts)])[None]
        pieces = tuple(Piece(f" {word} ", i) for i, word in enumerate(words, 1))
        options = {KEY: Tag((Encoder("tiny", pieces),), rows)}
        if self.pooled:
            options["pooled_output"] = _vector("pooled", self.pooled)[None]
        return [[text, options]]


def _vector(name: str, width: int) -> Tensor:
    return torch.randn(width, generator=torch.Generator().manual_seed(zlib.crc32(name.encode())))


def sample(
    model, latent: Tensor, positive: list, negative: list, steps: int = 2, cfg: float = 3.0, **options
) -> Tensor:
    """`comfy.sample.sample` of the host, seed 1; options: sampler, scheduler, callback."""
    import comfy.sample

    sampler, scheduler = options.pop("sampler", "euler"), options.pop("scheduler", "normal")
    noise = comfy.sample.prepare_noise(latent, 1)
    given = (model, noise, steps, cfg, sampler, scheduler, positive, negative, latent)
    return comfy.sample.sample(*given, seed=1, disable_pbar=True, **options)


_DIT = dict(channels=16, context=48, rows=12, patch=2)

FAMILIES = {
    "sd1": Family(tiny_unet.sd1_unet, channels=4, context=tiny_unet.CONTEXT, rows=77),
    "sd15": Family(tiny.sd15, channels=4, context=tiny_unet.CONTEXT, rows=77),
    "sd2_v": Family(tiny.sd2_v, channels=4, context=48, rows=77),
    "sdxl": Family(tiny.sdxl, channels=4, context=80, rows=77, patch=2, pooled=1280),
    "wan": Family(tiny.wan, **_DIT, video=True),
    "flux": Family(tiny.flux, **_DIT, joint=True, pooled=32),
    "chroma": Family(tiny.chroma, **_DIT, joint=True),
    "sd3": Family(tiny.sd3, **_DIT, joint=True, pooled=32),
    "sd35": Family(tiny.sd35, **_DIT, joint=True, pooled=32),
    "qwen_image": Family(tiny.qwen_image, **_DIT, joint=True, video=True),
    "lumina2": Family(tiny.lumina2, **_DIT, joint=True),
    "z_image": Family(tiny.z_image, **_DIT, joint=True),
}


@atexit.register
def forget() -> None:
    """Ends the cached models while the host's modules still stand; their finalizers need them."""
    for family in FAMILIES.values():
        family.model.cache_clear()
    gc.collect()
