"""Shows a model one latent at a few noise levels and reads where it looks for phrases."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from comfy.model_patcher import ModelPatcher
from comfy.nested_tensor import NestedTensor
from comfy.samplers import CFGGuider, Sampler
from comfy.utils import ProgressBar
from torch import Tensor

from .capture import Captured, CaptureSettings, capture
from .run.latents import as_sampled
from .run.noise import noise_like
from .run.window import Window


@dataclass(frozen=True)
class ProbeSettings:
    """What is read, at how many noise levels and where in the model."""

    phrases: tuple[str, ...]
    levels: int = 3
    seed: int = 0
    self_attention: bool = False
    window: Window = field(default_factory=Window)
    """The levels stand in the middle of equal parts of it."""
    blocks: str = ""


class Levels(Sampler):
    """Calls the model once per noise level, on the latent noised to it; returns the latent.

    The progress bar's steps are where the host looks for an interrupt.
    """

    @torch.no_grad()
    def sample(
        self, model_wrap, sigmas, extra_args, callback, noise, latent_image, denoise_mask=None, disable_pbar=False
    ):
        sampling, bar = model_wrap.inner_model.model_sampling, ProgressBar(len(sigmas) - 1)
        for sigma in sigmas[:-1]:
            x = sampling.noise_scaling(sigma.reshape(1), noise, latent_image)
            model_wrap(x, sigma.expand(x.shape[0]), **extra_args)
            bar.update(1)
        return latent_image


def probe(model: ModelPatcher, positive: list, latent: dict, settings: ProbeSettings) -> Captured:
    """The maps of a latent's own picture: one model call per level, the same noise for every picture of the batch."""
    start, end = settings.window.start, settings.window.end
    if settings.window.empty:
        raise ValueError("end_percent must be larger than start_percent, to leave room for noise levels.")
    who = "Subject Mask from Attention"
    reading = CaptureSettings(settings.phrases, settings.self_attention, blocks=settings.blocks, node=who)
    patched, maps = capture(model, reading)
    percents = [start + (end - start) * (i + 0.5) / settings.levels for i in range(settings.levels)]
    sampling = model.get_model_object("model_sampling")
    sigmas = torch.tensor([*(float(sampling.percent_to_sigma(percent)) for percent in percents), 0.0])
    guider = CFGGuider(patched)
    guider.inner_set_conds({"positive": positive})
    guider.set_cfg(1.0)
    samples = latent["samples"]
    if samples.is_nested:  # a video and its sound
        noise = NestedTensor([_one_noise(part, settings.seed) for part in samples.unbind()])
    else:
        samples = as_sampled(model, samples)
        noise = _one_noise(samples, settings.seed)
    guider.sample(noise, samples, Levels(), sigmas, disable_pbar=True, seed=settings.seed)
    return maps.runs[-1]


def _one_noise(samples: Tensor, seed: int) -> Tensor:
    """The same for every picture."""
    return noise_like(samples[:1], seed).expand_as(samples)
