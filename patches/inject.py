"""LatentCacheInject: puts a picture back into the sampler's state at chosen noise levels."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import torch
from comfy.model_patcher import ModelPatcher
from comfy.samplers import Sampler
from torch import Tensor

from ..attention.readout import ReadOut, read_out
from ..sampling.cuts import blend, curve_mask, cut_indices, percent_of, points
from ..sampling.moving import Move
from .capture import Capture, CaptureSettings
from .models.reach import sites_of
from .probe import Levels
from .run.cached import Cached, check_sizes
from .run.cut import Jump, check_sampler, cut_sampler
from .run.ending import ending
from .run.latents import as_sampled
from .run.maps import Cuts, Maps
from .run.masks import BLACK, on_latent
from .run.moved import Place, check_place, moved
from .run.packed import with_video
from .run.run import Effect, Run, attach
from .run.told import speaking
from .run.whole import check_size
from .run.window import Window

UNREAD = "phrase was not read, as a mask is connected; disconnect the mask for the phrase to be followed."


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
    place: Place = field(default_factory=Place)


def inject(
    model: ModelPatcher, samples: Tensor, mask: Tensor | None, settings: InjectSettings
) -> tuple[ModelPatcher, Maps]:
    """A clone whose every run gets the picture back under the mask (B or 1, H, W; None and no phrase: everywhere).

    At a step of noise level sigma the sampler's state x becomes (1 - w) x + w noise_scaling(sigma, eps, z0), with
    w = strength * mask (Blended Latent Diffusion, arxiv.org/abs/2206.02779; the offset is source 000's).
    """
    maps = Maps()
    if settings.strength == 0:
        return ending(model, lambda pixels, made: maps.add(_nothing(made, pixels))), maps
    check_place(settings.place, bool(settings.phrase) and mask is None)
    samples = as_sampled(model, samples)
    if settings.phrase and mask is None:
        sites_of(model)
    return attach(model, lambda: Injection(samples, mask, settings, maps)), maps


class Injection(Effect):
    """One run of LatentCacheInject."""

    node = "Latent Cache Inject"

    def __init__(self, samples: Tensor, mask: Tensor | None, settings: InjectSettings, maps: Maps) -> None:
        self.samples, self.given, self.settings, self.maps = samples, mask, settings, maps
        self.black = mask is not None and not mask.any()
        self.probed = False
        self.reader: Capture | None = None
        self.planned: dict[int, int] = {}
        """Step of the run -> number of the injection that is due there."""
        self.due: dict[int, int] = {}
        """The same for the schedule that the sampler's function got: another pack's sampler may have changed it."""
        self.used: list[Tensor] = []
        self.mask: Tensor | None = None
        self.moves: tuple[Move, ...] = ()
        self.cached: Cached | None = None
        self.run: Run | None = None
        self.chosen: Sampler | None = None

    def start(self, run: Run) -> None:
        self.run = run
        if self.settings.phrase and self.given is None:
            blocks = frozenset(sites_of(run.guider.model_patcher).blocks)
            reading = CaptureSettings((self.settings.phrase,), self.settings.read.refine > 0, node=self.node)
            self.reader = Capture(reading, blocks, lambda captured: None)
            run.effects.append(self.reader)
            self.reader.start(run)

    def sampler(self, run: Run, sampler: Sampler) -> Sampler:
        self.chosen, self.probed = sampler, isinstance(sampler, Levels)  # a probe looks at another picture
        if self.black or self.probed or not hasattr(sampler, "sampler_function"):
            return sampler
        return cut_sampler(sampler, Jump(self._steps, self._change, self.node))

    def prepare(self, run: Run) -> None:
        if self.probed:
            return
        check_sizes(self.samples, self.given, run)
        if self.black:
            return
        self.planned = self._plan(run.sigmas)
        if self.planned:
            check_sampler(self.chosen)
        if self.given is not None:
            self.mask = on_latent(self.given, run.noise_shape)
        elif self.reader is None:
            self.mask = torch.ones(1, *[1] * (len(run.noise_shape) - 1))
        samples = self._moved(run) if not self.settings.place.stays else self.samples
        self.cached = Cached.of(samples, run, self.settings.seed, self.settings.noise_per_item)

    def _moved(self, run: Run) -> Tensor:
        """The picture where the subject shall stand, and self.mask with it."""
        cells = tuple(run.noise_shape[-2:])
        self.moves = self.settings.place.moves(self.given, run.noise_shape[0], cells)
        samples, self.mask = moved(self.samples, self.mask.expand(*self.mask.shape[:-2], *cells), self.moves)
        return samples

    def finish(self, run: Run, samples: Tensor) -> None:
        if not self.probed:
            used = (torch.cat(self.used).cpu(), samples.cpu(), run.pixels, self.moves) if self.used else None
            self.maps.add(Cuts(*used) if used else _nothing(samples, run.pixels))

    def idle(self, run: Run) -> str:
        unread = UNREAD if self.settings.phrase and self.given is not None and not self.probed else ""
        return " ".join(filter(None, (self._missed(run), unread)))

    def _missed(self, run: Run) -> str:
        """Why nothing was put back."""
        if self.probed or any(used.any() for used in self.used):
            return ""
        if self.black:
            return BLACK.format("The mask")
        if self.used:
            return "The mask was empty at every injection, so it did nothing; look at it with Injected Masks."
        if self.planned:
            return "The sampler came to none of the steps in which the picture is due, so it did nothing."
        window, begins = self.settings.window, [f"{percent:.2f}" for percent in self._percents(run.sigmas[:-1])]
        steps = f"whose {len(begins)} steps begin at {begins[0]} to {begins[-1]}" if begins else "which has no step"
        late = ", and a phrase needs one step to find its mask" if self.reader else ""
        return (
            f"No injection between start_percent {window.start} and end_percent {window.end} lies in this run, {steps} "
            f"of the noise schedule{late}, so it did nothing; raise end_percent, denoise or steps."
        )

    def _percents(self, sigmas: list[float]) -> list[float]:
        to_sigma = self.run.sampling.percent_to_sigma
        return [percent_of(sigma, to_sigma) if sigma > 0 else inf for sigma in sigmas]

    def _plan(self, sigmas: list[float]) -> dict[int, int]:
        window = self.settings.window
        wanted = points(window.start, window.end, self.settings.count)
        first = 1 if self.reader else 0  # there is no attention before the first step
        return cut_indices(self._percents(sigmas), wanted, first)

    def _steps(self, sigmas: Tensor) -> list[int]:
        self.due = self._plan(sigmas.tolist())
        return list(self.due)

    def _change(self, x: Tensor, sigmas: Tensor, index: int) -> Tensor:
        video = self.run.video(x)
        with speaking(self.node):
            check_size(video, self.run.noise_shape)
            return with_video(x, self._changed(video, sigmas[index], self.due[index]), self.run.latent_shapes)

    def _changed(self, x: Tensor, sigma: Tensor, number: int) -> Tensor:
        mask = self._dynamic(x, number == max(self.planned.values(), default=-1)) if self.reader else self.mask
        weight = (self.settings.strength * curve_mask(mask, self.settings.curve, number, self.settings.count)).to(x)
        self.used.append(weight.expand(x.shape[0], *weight.shape[1:-2], *x.shape[-2:]).flatten(1, -3)[:, 0])
        return blend(x, self.cached.at(sigma, self.run.sampling, self.settings.offset).to(x), weight)

    def _dynamic(self, x: Tensor, last: bool) -> Tensor:
        """The phrase's mask from the attention since the last cut; nothing is read after the last one."""
        captured = self.reader.take(x)
        if last and self.reader in self.run.effects:
            self.run.effects.remove(self.reader)
        if captured is None:  # another node skipped every step
            return x.new_zeros(1, *[1] * (x.ndim - 1))
        mask = read_out(captured, (self.settings.phrase,), tuple(x.shape[-2:]), self.settings.read).mask
        return on_latent(mask.to(x), tuple(x.shape))


def _nothing(samples: Tensor, pixels: int) -> Cuts:
    """Of a run in which nothing was put back: a black mask for each picture."""
    return Cuts(torch.zeros(samples.shape[0], *samples.shape[-2:]), samples.cpu(), pixels)
