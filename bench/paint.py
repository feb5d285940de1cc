"""Pictures by TinyScenes through the host's own sampling, many prompts in one batch."""

from __future__ import annotations

from pathlib import Path

import comfy.sample
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..nodes.pictures.grid import GridStyle, draw_grid

STEPS, CFG = 20, 5.0


def encode(clip, texts: list[str]) -> list:
    """One CONDITIONING entry whose tensor holds a row per text, (B, 77, D)."""
    entries = [tagged(clip, text)[0] for text in texts]
    pooled = torch.cat([options["pooled_output"] for _, options in entries])
    return [[torch.cat([text for text, _ in entries]), {"pooled_output": pooled}]]


def tagged(clip, text: str) -> list:
    """The whole CONDITIONING of one text; behind Track Phrases it knows its words."""
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


def noise_of(latent: Tensor, seeds: list[int]) -> Tensor:
    """(B, 4, h, w), each picture's of its own seed alone."""
    return torch.cat([comfy.sample.prepare_noise(latent[:1], seed) for seed in seeds])


def paint(model, vae, positive: list, negative: list, seeds: list[int], cfg: float = CFG, steps: int = STEPS) -> Tensor:
    """IMAGE (B, 128, 128, 3) for a batch of seeds; each picture depends on its own seed alone. dpmpp_2m, karras."""
    latent = torch.zeros(len(seeds), 4, 16, 16)
    noise = noise_of(latent, seeds)
    options = {"seed": seeds[0], "disable_pbar": True}
    out = comfy.sample.sample(model, noise, steps, cfg, "dpmpp_2m", "karras", positive, negative, latent, **options)
    return vae.decode(out)


def paint_prompts(model, clip, vae, prompts: list[str], seeds: list[int], batch: int = 24) -> Tensor:
    """A picture per prompt, with an empty negative prompt."""
    empty, parts = encode(clip, [""]), []
    for i in range(0, len(prompts), batch):
        parts.append(paint(model, vae, encode(clip, prompts[i : i + batch]), empty, seeds[i : i + batch]))
    return torch.cat(parts)


def save_sheet(path: Path, pictures: Tensor, labels: list[str], columns: int) -> None:
    """Pictures (N, H, W, 3) in rows, each below its label, as a JPEG."""
    grid = draw_grid([pictures], labels, style=GridStyle(columns=columns, gap=6, font_size=12, scale=1))
    path.parent.mkdir(exist_ok=True)
    Image.fromarray((grid[0].numpy() * 255).round().astype(np.uint8)).save(path, quality=90)
