"""InfusionBias: features of other pictures bias a picture from inside the model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from torch import Tensor

from ..sampling.mixing import MIXES
from .models.features import LARGEST, site_weights
from .models.reach import Places, places_of
from .run.latents import as_sampled
from .run.masks import BLACK, check_count, cut_to_area
from .run.noise import noise_like
from .run.record import Recorder
from .run.rows import Entry
from .run.run import Effect, Run, attach
from .run.told import speaking
from .run.window import MISSED, Window

TEXTS = ("positive", "negative", "each half")
INPUTS = ("clean", "noised")


@dataclass(frozen=True)
class InfuseSettings:
    """How strongly, where and when the pictures bias."""

    weight: float = 0.1
    sites: str = ""
    preset: str = "down path"
    images: tuple[float, ...] = ()
    """Weight of each picture; empty: all alike."""
    mix: str = "add"
    input: str = "clean"
    text: str = "positive"
    decay: float = 1.0
    """The weight is multiplied by it at every step, before the first too."""
    reuse: int = 1
    """Steps for which recorded features serve."""
    seed: int = 0
    window: Window = Window()


def infuse(model: ModelPatcher, samples: Tensor, mask: Tensor | None, settings: InfuseSettings) -> ModelPatcher:
    """A clone biased by the pictures of `samples` (N, C, h, w), under a mask (B or 1, H, W) or everywhere.

    Source 001 (github.com/dhruvrnaik/sd-comic-generation): h + w * mean over the pictures' features, at chosen sites.
    ValueError: an unknown kind of model or site, no picture, or not one weight for each.
    """
    weights = site_weights(settings.sites, settings.preset, places_of(model))
    images = settings.images or (1.0,) * len(samples)
    if not samples.any():
        raise ValueError("The biasing latent is empty; encode one or several pictures with VAE Encode for it.")
    if len(images) != len(samples) or abs(sum(images)) * LARGEST <= max(map(abs, images)):
        raise ValueError(
            f"{len(images)} image weights with the sum {sum(images):g} were given for {len(samples)} pictures; give "
            "one number for each, with a sum other than 0 (or near it)."
        )
    if settings.weight == 0 or not weights:
        return model.clone()
    samples = as_sampled(model, samples)
    return attach(model, lambda: Infusion(samples, images, mask, weights, settings))


class Infusion(Effect):
    """One run of InfusionBias."""

    node = "Infusion Bias"
    whole = True

    def __init__(
        self, samples: Tensor, images: tuple, mask: Tensor | None, weights: dict[str, float], settings: InfuseSettings
    ) -> None:
        self.samples, self.images, self.given, self.weights = samples, images, mask, weights
        self.settings, self.mix = settings, MIXES[settings.mix]
        self.features: dict[tuple, dict[str, Tensor]] = {}
        """(list of the text, area) -> site -> (1, C, h, w), of this step or of the last that was recorded."""
        self.masks: dict[tuple, Tensor] = {}
        """(h, w), area -> (B or 1, 1, h, w)."""
        self.open, self.scale = False, 0.0
        self.dark = mask is not None and not mask.any()
        self.recorded, self.level = -settings.reuse, -1.0
        """Number and noise level of the step whose features are kept."""
        self.latent: Tensor | None = None
        self.noise: Tensor | None = None
        self.places: Places | None = None
        self.run: Run | None = None

    def start(self, run: Run) -> None:
        self.run, self.places = run, places_of(run.guider.model_patcher)
        add_wrapper_with_key(WrappersMP.APPLY_MODEL, f"lm_infuse_{id(self)}", self._apply_model, run.options)

    def prepare(self, run: Run) -> None:
        _check(run, self.samples, self.given, self.settings.text)
        device = run.guider.model_patcher.load_device
        self.noise = noise_like(self.samples[:1], self.settings.seed).to(device).expand(self.samples.shape)
        self.latent = run.guider.inner_model.process_latent_in(self.samples.to(device, torch.float32))

    def step(self, run: Run) -> None:
        inside = self.settings.window.contains(run.sigma, run.sampling)
        self.open = inside and not self.dark
        self.opened |= inside
        if not self.open:
            self.features = {}
            return
        number = min(range(len(run.sigmas)), key=lambda i: abs(run.sigmas[i] - run.sigma))
        self.scale = self.settings.weight * self.settings.decay ** (number + 1)
        fresh = 0 <= number - self.recorded < self.settings.reuse
        if run.sigma != self.level and (self.settings.reuse == 1 or not fresh):
            self.features, self.recorded, self.level = {}, number, run.sigma

    def idle(self, run: Run) -> str:
        return BLACK.format("The mask") if self.dark else "" if self.opened else MISSED

    def _apply_model(self, executor, x, t, c_concat=None, c_crossattn=None, control=None, options=None, **kwargs):
        given = (c_concat, c_crossattn, control)
        if not self.open:
            return executor(x, t, *given, options, **kwargs)
        keys, network = [self._key(entry) for entry in self.run.chunks(options)], executor.class_obj.diffusion_model
        shape = self.run.video(x).shape
        with speaking(self.node):
            for key in keys:
                if key not in self.features:
                    self.features[key] = self._record(executor, x, t, options, *key)

        def change(site: str, h: Tensor) -> Tensor:
            with speaking(self.node):
                return self._biased(site, h, keys, self.places.frames(shape))

        with self.places.open(network, shape, kwargs, options, change, self.weights) as changed:
            return executor(x, t, *given, changed, **kwargs)

    def _key(self, entry: Entry | None) -> tuple:
        own = entry is not None and entry.name in self.run.guider.conds  # else of another pack, or an edit concept
        half = entry.name if own else "positive"
        return (half if self.settings.text == "each half" else self.settings.text), entry and entry.area

    def _record(
        self, executor: object, x: Tensor, t: Tensor, options: dict, text: str, area: tuple | None
    ) -> dict[str, Tensor]:
        """Runs the pictures at this noise level through the plain model, with the sound of x beside them."""
        sampling = self.run.sampling
        if self.settings.input == "noised":
            pictures = sampling.noise_scaling(t[:1], self.noise, self.latent)
        else:  # the network itself shall see the clean latent
            pictures = self.latent / sampling.calculate_input(t[:1], torch.ones_like(self.latent[:1]))
        recorder = Recorder(self.weights, self.places, self.images, self.run)
        return recorder.record(executor, x[:1], pictures, t[:1], text, options, area)

    def _biased(self, site: str, h: Tensor, keys: list[tuple], frames: int) -> Tensor:
        """h (rows, C, h, w) with the features that each of its chunks gets."""
        weight, mixed = self.scale * self.weights[site], []
        for key, part in zip(keys, h.chunk(len(keys)), strict=True):
            g = self.features[key][site].to(h)
            if g.shape[-2:] != h.shape[-2:]:  # another node shrinks the picture's features
                g = F.interpolate(g, h.shape[-2:], mode="area")
            mixed.append(self.mix(part, g, weight * self._mask(part, key[1], frames)))
        return torch.cat(mixed)

    def _mask(self, part: Tensor, area: tuple | None, frames: int) -> Tensor | float:
        """(rows or 1, 1, frames * h, w) of the mask on one chunk of the batch, or 1."""
        if self.given is None:
            return 1.0
        key = tuple(part.shape[-2:]), area
        if key not in self.masks:
            mask = cut_to_area(self.given.to(part), area, self.run.noise_shape)
            height, width = part.shape[-2:]
            small = F.interpolate(mask[:, None], (height // frames, width), mode="area")
            self.masks[key] = small.repeat(1, 1, frames, 1)
        return self.masks[key]


def _check(run: Run, samples: Tensor, mask: Tensor | None, text: str) -> None:
    """ValueError: what does not fit the run."""
    if samples.shape[1:] != run.noise_shape[1:]:
        raise ValueError(
            f"The biasing latents are {list(samples.shape)} but {list(run.noise_shape)} is being sampled; resize the "
            "pictures to the size (of a video also the length) of the one that is made."
        )
    if mask is not None:
        check_count(mask, run.noise_shape[0])
    if "context_handler" in run.guider.model_options:
        raise ValueError("It cannot work in context windows; remove the context window node.")
    if text != "each half" and not run.guider.conds.get(text):
        raise ValueError(f"There is no {text} prompt to record the biasing pictures with; choose another text.")
