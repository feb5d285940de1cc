"""What the ways to bias a run by other pictures have in common."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from torch import Tensor

from .effect import Effect
from .masks import BLACK, check_count, cut_to_area
from .noise import noise_like
from .record import check_one_device
from .rows import Entry
from .run import Run
from .window import MISSED, Window

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
    align: bool = False
    """Only of the mix 'share': whether the picture's queries and keys get the mean and spread of theirs."""
    apart: float = 0.0
    """Only of the mix 'share': how far beside the picture made they stand, in their widths."""
    style: float = 0.0
    """Only of the mix 'share': -1..1, more of the pictures' style and less of what stands at the same place."""


Key = tuple[str, tuple | None]
"""A guider's list, whose text the recorded pictures get, and an area."""


class Biasing(Effect):
    """One run of Infusion Bias, whose pictures are recorded at every step."""

    node = "Infusion Bias"
    whole = foreseen = True

    def __init__(
        self, samples: Tensor, images: tuple, mask: Tensor | None, weights: dict[str, float], settings: InfuseSettings
    ) -> None:
        self.samples, self.images, self.given, self.weights = samples, images, mask, weights
        self.settings = settings
        self.features: dict[Key, dict] = {}
        """Of this step or of the last that was recorded."""
        self.masks: dict[tuple, Tensor] = {}
        """(h, w), area -> (B or 1, 1, h, w)."""
        self.open, self.scale = False, 0.0
        self.dark = "The mask" if mask is not None and not mask.any() else ""
        """The mask under which nothing is left, as users know it."""
        self.recorded, self.level = -settings.reuse, -1.0
        """Number and noise level of the step whose features are kept."""
        self.latent: Tensor | None = None
        self.noise: Tensor | None = None
        self.run: Run | None = None

    def start(self, run: Run) -> None:
        self.run = run
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
        return BLACK.format(self.dark) if self.dark else "" if self.opened else MISSED

    def _apply_model(self, executor, x, t, c_concat=None, c_crossattn=None, control=None, options=None, **kwargs):
        raise NotImplementedError

    def _key(self, entry: Entry | None) -> Key:
        own = entry is not None and entry.name in self.run.guider.conds  # else of another pack, or an edit concept
        half = entry.name if own else "positive"
        return (half if self.settings.text == "each half" else self.settings.text), entry and entry.area

    def _pictures(self, t: Tensor) -> Tensor:
        """(N, C, ..., h, w) that the plain model gets at this noise level."""
        sampling = self.run.sampling
        if self.settings.input == "noised":
            return sampling.noise_scaling(t[:1], self.noise, self.latent)
        # the network itself shall see the clean latent
        return self.latent / sampling.calculate_input(t[:1], torch.ones_like(self.latent[:1]))

    def _mask(self, grid: tuple[int, int], area: tuple | None, frames: int) -> Tensor:
        """(B or 1, 1, frames * h, w) of the mask on the features of a chunk of the batch."""
        key = grid, area
        if key not in self.masks:
            self.masks[key] = self._cells(self.given, grid, area, frames)
        return self.masks[key]

    def _cells(self, mask: Tensor, grid: tuple[int, int], area: tuple | None, frames: int) -> Tensor:
        """(B, 1, frames * h, w) of a mask (B, H, W) on a grid of an entry's area."""
        cut = cut_to_area(mask.to(self.latent), area, self.run.noise_shape)
        return F.interpolate(cut[:, None], grid, mode="area").repeat(1, 1, frames, 1)


def _check(run: Run, samples: Tensor, mask: Tensor | None, text: str) -> None:
    """ValueError: what does not fit the run."""
    check_one_device(run)
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
