"""InfusionBias: features of other pictures bias a picture from inside the model."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ..sampling.mixing import MIXES as FEATURE_MIXES
from .models.features import LARGEST, site_weights
from .models.reach import Places, places_of
from .run.biasing import INPUTS, TEXTS, Biasing, InfuseSettings, Key
from .run.latents import as_sampled, video_part
from .run.record import Recorder
from .run.run import Run, attach
from .run.told import speaking
from .share import SHARE, Sharing, check_share, layer_weights

__all__ = ["INPUTS", "MIXES", "TEXTS", "InfuseSettings", "infuse"]
MIXES = (*FEATURE_MIXES, SHARE)


def infuse(
    model: ModelPatcher,
    samples: Tensor,
    mask: Tensor | None,
    settings: InfuseSettings,
    image_mask: Tensor | None = None,
) -> ModelPatcher:
    """A clone biased by the pictures of `samples` (N, C, h, w), under a mask (B or 1, H, W) or everywhere.

    image_mask: (N or 1, H, W), of the mix 'share': the part of the pictures that is looked at.
    Source 001 (github.com/dhruvrnaik/sd-comic-generation): h + w * mean over the pictures' features, at chosen sites.
    ValueError: an unknown kind of model or site, no picture, not one weight for each, or what the mix does not know.
    """
    share = settings.mix == SHARE
    weights = (
        layer_weights(settings, model) if share else site_weights(settings.sites, settings.preset, places_of(model))
    )
    samples = video_part(samples)
    if not samples.any():
        raise ValueError("The biasing latent is empty; encode one or several pictures with VAE Encode for it.")
    images = _images(settings, len(samples))
    check_share(settings, images, weights, image_mask)
    if settings.weight == 0 or not weights:
        return model.clone()
    given = as_sampled(model, samples), images, mask, weights, settings
    return attach(model, lambda: Sharing(*given, image_mask=image_mask) if share else Infusion(*given))


def _images(settings: InfuseSettings, count: int) -> tuple[float, ...]:
    """The weight of each of the pictures."""
    images = settings.images or (1.0,) * count
    if len(images) != count or abs(sum(images)) * LARGEST <= max(map(abs, images)):
        raise ValueError(
            f"{len(images)} image weights with the sum {sum(images):g} were given for {count} pictures; give one "
            "number for each, with a sum other than 0 (or near it)."
        )
    return images


class Infusion(Biasing):
    """One run of the mixes of features: (list of the text, area) -> site -> (1, C, h, w) is what is kept."""

    places: Places

    def start(self, run: Run) -> None:
        super().start(run)
        self.places, self.mix = places_of(run.guider.model_patcher), FEATURE_MIXES[self.settings.mix]

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

    def _record(
        self, executor: object, x: Tensor, t: Tensor, options: dict, text: str, area: tuple | None
    ) -> dict[str, Tensor]:
        """Runs the pictures at this noise level through the plain model, with the sound of x beside them."""
        recorder = Recorder(self.weights, self.places, self.images, self.run)
        return recorder.record(executor, x[:1], self._pictures(t), t[:1], text, options, area)

    def _biased(self, site: str, h: Tensor, keys: list[Key], frames: int) -> Tensor:
        """h (rows, C, h, w) with the features that each of its chunks gets."""
        weight, mixed = self.scale * self.weights[site], []
        for key, part in zip(keys, h.chunk(len(keys)), strict=True):
            g = self.features[key][site].to(h)
            if g.shape[-2:] != h.shape[-2:]:  # another node shrinks the picture's features
                g = F.interpolate(g, h.shape[-2:], mode="area")
            mixed.append(self.mix(part, g, weight * self._where(part, key[1], frames)))
        return torch.cat(mixed)

    def _where(self, part: Tensor, area: tuple | None, frames: int) -> Tensor | float:
        """(rows or 1, 1, frames * h, w) of the mask on one chunk of the batch, or 1."""
        if self.given is None:
            return 1.0
        height, width = part.shape[-2:]
        return self._mask((height // frames, width), area, frames).to(part)
