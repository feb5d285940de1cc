"""The picture that LatentCacheInject puts back, at any noise level."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...sampling.cuts import percent_of
from .masks import check_count
from .noise import noise_like
from .run import Run


@dataclass(frozen=True)
class Cached:
    """A latent as the model sees it, with the one noise that it gets in a run."""

    latent: Tensor
    noise: Tensor

    @classmethod
    def of(cls, samples: Tensor, run: Run, seed: int, per_item: bool) -> Cached:
        """samples: (B or 1, C, ..., h, w), as a VAE gives them; per_item: each picture gets its own noise."""
        device, batch = run.guider.model_patcher.load_device, run.noise_shape[0]
        samples = samples.expand(batch, *samples.shape[1:]) if samples.shape[0] == 1 else samples
        noise = noise_like(samples if per_item else samples[:1], seed).to(device).expand_as(samples)
        return cls(run.guider.inner_model.process_latent_in(samples.to(device, torch.float32)), noise)

    def at(self, sigma: Tensor, sampling: object, offset: float) -> Tensor:
        """At a noise level, or `offset` percent of the schedule cleaner and scaled to what the model expects there."""
        sigma = sigma.to(self.latent).reshape(1)
        if offset == 0:
            return sampling.noise_scaling(sigma, self.noise, self.latent)
        percent = percent_of(float(sigma), sampling.percent_to_sigma) + offset
        cleaner = sigma.new_tensor([min(float(sampling.percent_to_sigma(min(percent, 1.0))), float(sigma))])
        one = torch.ones_like(sigma)
        scale = sampling.calculate_input(cleaner, one) / sampling.calculate_input(sigma, one)
        return scale * sampling.noise_scaling(cleaner, self.noise, self.latent)


def check_sizes(samples: Tensor, mask: Tensor | None, run: Run) -> None:
    """ValueError: the latent or the mask does not fit what is sampled."""
    shape = run.noise_shape
    if samples.shape[1:] != shape[1:] or samples.shape[0] not in (1, shape[0]):
        cached, sampled = (_said(size, run.pixels) for size in (samples.shape, shape))
        raise ValueError(
            f"The cached latent is {cached} but {sampled} is being sampled; give a latent of the same size, with one "
            "picture or as many as are sampled."
        )
    if mask is not None:
        check_count(mask, shape[0])


def _said(shape: tuple[int, ...], pixels: int) -> str:
    return f"{list(shape)} ({shape[-1] * pixels}x{shape[-2] * pixels} pixels)"
