"""LatentCacheInject on tiny models: what the sampler is handed at each noise level, and what it should be."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pack.tests.tiny_models import FAMILIES, Family, sample
from torch import Tensor

SD1 = FAMILIES["sd1"]


def inject(model, latent: Tensor, mask: Tensor | None = None, start: float = 0.0, end: float = 1.0, **settings):
    """(patched, handle); 16 injections: one before every step of a short run."""
    from pack.patches import inject as module
    from pack.patches.run.window import Window

    given = {"count": 16, **settings}
    return module.inject(model, latent, mask, module.InjectSettings(Window(start, end), **given))


def picture(family: Family = SD1, batch: int = 1, **size) -> Tensor:
    """A latent with something in it."""
    latent = family.latent(batch, **size)
    return torch.randn(latent.shape, generator=torch.Generator().manual_seed(9)) * 2 + 1


def half(batch: int = 1, height: int = 64, width: int = 64) -> Tensor:
    """A mask (B, H, W): the left half, of each later picture an eighth less."""
    mask = torch.zeros(batch, height, width)
    for i in range(batch):
        mask[i, :, : width // 2 - i * width // 8] = 1.0
    return mask


class Watch:
    """Notes (sigma, x) of every call of the guider; wraps a MODEL."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, Tensor]] = []

    def on(self, model):
        from comfy.patcher_extension import WrappersMP

        def predict_noise(executor, x, timestep, *args, **kwargs):
            self.seen.append((float(timestep[0]), x.clone()))
            return executor(x, timestep, *args, **kwargs)

        patched = model.clone()
        patched.add_wrapper(WrappersMP.PREDICT_NOISE, predict_noise)
        return patched


def cached(model, latent: Tensor, sigma: float, seed: int = 0, per_item: bool = False) -> Tensor:
    """noise_scaling(sigma, eps, z0), with the host's own noise and latent format."""
    from comfy.sample import prepare_noise

    noise = prepare_noise(latent if per_item else latent[:1], seed).expand_as(latent)
    sampling = model.get_model_object("model_sampling")
    return sampling.noise_scaling(torch.tensor([sigma]), noise, model.model.process_latent_in(latent))


def paint(model, family: Family = SD1, latent: Tensor | None = None, **options) -> Tensor:
    given = family.conditioning(), family.conditioning("blurry")
    return sample(model, family.latent(1, 8, 8) if latent is None else latent, *given, **options)


def custom(model, sigmas: Tensor, run: Callable | None = None, latent: Tensor | None = None, **options) -> Tensor:
    """SamplerCustom of the host, seed 1, on the tiny SD1."""
    from comfy.samplers import sampler_object
    from comfy_extras.nodes_custom_sampler import SamplerCustom

    latent = SD1.latent(1, 8, 8) if latent is None else latent
    texts = SD1.conditioning(), SD1.conditioning("blurry")
    given = (options.pop("add_noise", True), 1, 3.0, *texts, run or sampler_object("euler"), sigmas)
    return SamplerCustom.execute(model, *given, {"samples": latent, **options}).result[0]["samples"]
