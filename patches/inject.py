"""LatentCacheInject: puts a picture back into the sampler's state at chosen noise levels."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import torch
from comfy.model_patcher import ModelPatcher
from comfy.sample import fix_empty_latent_channels
from comfy.samplers import Sampler
from torch import Tensor

from ..attention.readout import ReadOut, read_out
from ..sampling.cuts import blend, curve_mask, cut_indices, percent_of, points
from .capture import Capture, CaptureSettings
from .cut import cut_sampler
from .families import sites_of
from .maps import Cuts, Maps
from .masks import check_count, on_latent
from .noise import noise_like
from .probe import Levels
from .run import Effect, Run, attach
from .told import speaking
from .window import Window


@dataclass(frozen=True)
class InjectSettings:
    """What is put back, when, and how strongly."""

    window: Window
    count: int = 3
    offset: float = 0.0
    """Percent of the schedule by which the cached latent is cleaner than due."""
    strength: float = 1.0
    curve: str = "constant"
    seed: int = 0
    noise_per_item: bool = False
    phrase: str = ""
    """The mask follows this phrase's attention in the steps just done, where no mask is given."""
    read: ReadOut = field(default_factory=ReadOut)


def inject(
    model: ModelPatcher, samples: Tensor, mask: Tensor | None, settings: InjectSettings
) -> tuple[ModelPatcher, Maps]:
    """A clone whose every run gets the picture back under the mask (B or 1, H, W; None and no phrase: everywhere).

    At a step of noise level sigma the sampler's state x becomes (1 - w) x + w noise_scaling(sigma, eps, z0), with
    w = strength * mask (Blended Latent Diffusion, arxiv.org/abs/2206.02779; the offset is source 000's).
    """
    maps, samples = Maps(), _checked(model, samples, settings.window)
    if settings.phrase and mask is None:
        sites_of(model)
    if settings.strength == 0 or (mask is not None and not mask.any()):
        return model.clone(), maps
    return attach(model, lambda: Injection(samples, mask, settings, maps)), maps


class Injection(Effect):
    """One run of LatentCacheInject."""

    node = "Latent Cache Inject"

    def __init__(self, samples: Tensor, mask: Tensor | None, settings: InjectSettings, maps: Maps) -> None:
        self.samples, self.given, self.settings, self.maps = samples, mask, settings, maps
        self.reader: Capture | None = None
        self.used: list[Tensor] = []
        self.mask: Tensor | None = None
        self.latent: Tensor | None = None
        self.noise: Tensor | None = None
        self.due: dict[float, int] = {}
        """Noise level -> number of the injection that is due there."""
        self.run: Run | None = None

    def start(self, run: Run) -> None:
        self.run = run
        if self.settings.phrase and self.given is None:
            blocks = frozenset(sites_of(run.guider.model_patcher).blocks)
            self.reader = Capture(
                CaptureSettings((self.settings.phrase,), node=self.node), blocks, lambda captured: None
            )
            run.effects.append(self.reader)
            self.reader.start(run)

    def sampler(self, run: Run, sampler: Sampler) -> Sampler:
        if isinstance(sampler, Levels):  # a probe looks at another picture
            return sampler

        def cuts(sigmas: Tensor) -> list[int]:
            return [i for i, sigma in enumerate(sigmas[:-1].tolist()) if sigma in self.due]

        return cut_sampler(sampler, cuts, self._change)

    def prepare(self, run: Run) -> None:
        _check_sizes(self.samples, self.given, run.noise_shape)
        model = run.guider.inner_model
        self.due, batch = self._plan(run), run.noise_shape[0]
        device = run.guider.model_patcher.load_device
        samples = self.samples.expand(batch, *self.samples.shape[1:]) if self.samples.shape[0] == 1 else self.samples
        one = samples if self.settings.noise_per_item else samples[:1]
        self.noise = noise_like(one, self.settings.seed).to(device).expand_as(samples)
        self.latent = model.process_latent_in(samples.to(device, torch.float32))
        if self.given is not None:
            self.mask = on_latent(self.given.to(device), run.noise_shape)
        elif self.reader is None:
            self.mask = torch.ones(1, *[1] * (len(run.noise_shape) - 1), device=device)

    def finish(self, run: Run, samples: Tensor) -> None:
        if self.used:
            self.maps.add(Cuts(torch.cat(self.used).cpu(), samples.cpu(), run.pixels))

    def _plan(self, run: Run) -> dict[float, int]:
        window, to_sigma = self.settings.window, run.sampling.percent_to_sigma
        wanted = points(window.start, window.end, self.settings.count)
        percents = [percent_of(sigma, to_sigma) if sigma > 0 else inf for sigma in run.sigmas]
        first = 1 if self.reader else 0  # there is no attention before the first step
        return {run.sigmas[i]: number for i, number in cut_indices(percents, wanted, first).items()}

    def _change(self, model: object, x: Tensor, sigmas: Tensor, index: int) -> Tensor:
        with speaking(self.node):
            return self._changed(x, sigmas, index)

    def _changed(self, x: Tensor, sigmas: Tensor, index: int) -> Tensor:
        number = self.due[float(sigmas[index])]
        mask = self._dynamic(x, float(sigmas[index]) == min(self.due)) if self.reader else self.mask
        weight = (self.settings.strength * curve_mask(mask, self.settings.curve, number, self.settings.count)).to(x)
        self.used.append(weight.expand(x.shape[0], *weight.shape[1:-2], *x.shape[-2:]).flatten(1, -3)[:, 0])
        return blend(x, self._cached(sigmas[index]), weight)

    def _cached(self, sigma: Tensor) -> Tensor:
        """The picture at the noise level due, or cleaner and scaled to what the model expects there."""
        sampling, sigma = self.run.sampling, sigma.reshape(1)
        if self.settings.offset == 0:
            return sampling.noise_scaling(sigma, self.noise, self.latent)
        percent = percent_of(float(sigma), sampling.percent_to_sigma) + self.settings.offset
        cleaner = sigma.new_tensor([min(float(sampling.percent_to_sigma(min(percent, 1.0))), float(sigma))])
        one = torch.ones_like(sigma)
        scale = sampling.calculate_input(cleaner, one) / sampling.calculate_input(sigma, one)
        return scale * sampling.noise_scaling(cleaner, self.noise, self.latent)

    def _dynamic(self, x: Tensor, last: bool) -> Tensor:
        """The phrase's mask from the attention since the last cut; nothing is read after the last one."""
        captured = self.reader.take(x)
        if last:
            self.run.effects.remove(self.reader)
        if captured is None:  # another node skipped every step
            return x.new_zeros(1, *[1] * (x.ndim - 1))
        mask = read_out(captured, (self.settings.phrase,), tuple(x.shape[-2:]), self.settings.read).mask
        return on_latent(mask.to(x), tuple(x.shape))


def _checked(model: ModelPatcher, samples: Tensor, window: Window) -> Tensor:
    """The latent as the host would sample it: video models take pictures as videos of one frame."""
    if window.start > window.end:
        raise ValueError(f"start_percent {window.start} lies behind end_percent {window.end}; swap them.")
    if samples.is_nested or samples.ndim < 4:
        raise ValueError(
            "Latent Cache Inject puts back pictures and videos, not sound or shapes; give a latent of VAE Encode."
        )
    if samples.isnan().any():
        raise ValueError("The cached latent holds values that are not numbers (NaN); encode the picture again.")
    return fix_empty_latent_channels(model, samples)


def _check_sizes(samples: Tensor, mask: Tensor | None, shape: tuple[int, ...]) -> None:
    if samples.shape[1:] != shape[1:] or samples.shape[0] not in (1, shape[0]):
        raise ValueError(
            f"The cached latent is {list(samples.shape)} but {list(shape)} is being sampled; give Latent Cache Inject "
            "a latent of the same size, with one picture or as many as are sampled."
        )
    if mask is not None:
        check_count(mask, shape[0])
