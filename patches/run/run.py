"""One sampling run: everything that changes while it lasts, dropped with it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import uuid4

from comfy.model_patcher import ModelPatcher
from comfy.model_sampling import CONST
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from comfy.samplers import CFGGuider
from torch import Tensor

from .calls import POSITIONS, apply_model, calc_cond_batch, predict_noise, sampler_sample
from .compiled import uncompile
from .effect import Effect
from .packed import video_of
from .rows import Entry, find
from .told import speaking

KEY = "lm_run"


class Run:
    """The state of one sampling run. An instance: the host copies dicts and lists at every model call."""

    def __init__(self, guider: CFGGuider) -> None:
        self.guider = guider
        self.effects: list[Effect] = []
        self.table: dict[tuple[str, object], Entry] = {}
        self.appended: dict[tuple[str, object], Entry] = {}
        """The same for entries that effects append."""
        self.noise_shape: tuple[int, ...] = ()
        """(B, C, h, w) or (B, C, frames, h, w) of the sampled latent, of its video where sound is packed with it."""
        self.latent_shapes: list = []
        """As the host gives them: of the latent, or of the video and the sound that it packs into one."""
        self.x: Tensor | None = None
        """The sampler's of this step."""
        self.ask: Callable[[Tensor, float], Tensor] | None = None
        """The guided prediction (denoised) for another x and noise level, as the sampler would get it without guide."""
        self.given: dict[str, object] = {}
        """noise, latent_image, denoise_mask and seed, as the sampler got them."""
        self.sigmas: list[float] = []
        """The schedule of this run."""
        self.sigma = float("inf")
        self.calls = 0
        """CALC_COND_BATCH calls of this step so far: the first is the sampler's own, others are PAG's, SAG's, ..."""
        self.predictions: dict[str, Tensor] = {}
        """List name -> denoised prediction of this step, from the sampler's own call."""
        self.names: list[str | None] = []
        """Which list of the guider stands at each position of `cond_or_uncond`."""
        self.added: frozenset[str] = frozenset()
        """Those that an effect appended."""

    @property
    def options(self) -> dict:
        """The run's own transformer_options."""
        return self.guider.model_options["transformer_options"]

    @property
    def sampling(self) -> object:
        """The model_sampling of the model that samples."""
        return self.guider.model_patcher.get_model_object("model_sampling")

    @property
    def ratio(self) -> float:
        """Noise over signal now: eps = (x - x0) / ratio up to a part that all predictions share."""
        return self.ratio_at(self.sigma)

    def ratio_at(self, sigma: float) -> float:
        """The same at another noise level."""
        return sigma / max(1 - sigma, 1e-6) if isinstance(self.sampling, CONST) else sigma

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the sampler's x of this step."""
        return tuple(self.video(self.x).shape[-2:])

    @property
    def pixels(self) -> int:
        """Pixels of the picture per latent cell."""
        return self.guider.model_patcher.get_model_object("latent_format").spacial_downscale_ratio

    def video(self, x: Tensor) -> Tensor:
        """The picture or video in a latent of this run."""
        return video_of(x, self.latent_shapes)

    def each(self, ask: Callable[[Effect], object]) -> list:
        """What every effect answers, in the nodes' order."""
        answers = []
        for effect in self.effects:
            with speaking(effect.node):
                answers.append(ask(effect))
        return answers

    def begin(self, sigma: float) -> None:
        """A call of the model at a noise level is about to be made."""
        self.sigma, self.calls, self.predictions = sigma, 0, {}
        self.each(lambda effect: effect.step(self))

    def chunks(self, options: dict) -> list[Entry | None]:
        """The conditioning entry behind each chunk of the batch of a model call."""
        positions = options.get(POSITIONS, options["cond_or_uncond"])
        names = [self.names[i] if i < len(self.names) else None for i in positions]
        both = {**self.table, **self.appended}
        return [find(both, name, uuid) for name, uuid in zip(names, options["uuids"], strict=True)]


def attach(model: ModelPatcher, make: Callable[[], Effect]) -> ModelPatcher:
    """A clone of which every sampling run gets its own effect; two of the same node stack."""

    def outer_sample(executor, noise, latent_image, sampler, *args, **kwargs):
        run = _current(executor.class_obj)
        run.latent_shapes = kwargs.get("latent_shapes") or []
        effect, outermost = make(), not run.effects
        run.effects.append(effect)
        try:
            return _sample(run, effect, executor, noise, latent_image, sampler, *args, **kwargs)
        finally:
            if outermost:  # run and effects know each other: left alone, they would keep the model until a collection
                run.effects.clear()

    patched = model.clone()
    patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, f"{KEY}_{uuid4().hex}", outer_sample)
    return patched


def _sample(run: Run, effect: Effect, executor, noise, latent_image, sampler, *args, **kwargs) -> Tensor:
    with speaking(effect.node):
        effect.start(run)
        sampler = effect.sampler(run, sampler)
    samples = executor(noise, latent_image, sampler, *args, **kwargs)
    with speaking(effect.node):
        effect.finish(run, run.video(samples))
    if why := effect.idle(run):
        logging.getLogger(__name__).warning("%s: %s", effect.node, why)
    return samples


def _current(guider: CFGGuider) -> Run:
    """The guider's Run; `CFGGuider.sample` gives each run its own options and drops them at its end, also on error."""
    options = guider.model_options["transformer_options"]
    if KEY not in options:
        run = options[KEY] = Run(guider)
        uncompile(options)
        add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, KEY, sampler_sample(run), options)
        add_wrapper_with_key(WrappersMP.PREDICT_NOISE, KEY, predict_noise(run), options)
        add_wrapper_with_key(WrappersMP.CALC_COND_BATCH, KEY, calc_cond_batch(run), options)
        add_wrapper_with_key(WrappersMP.APPLY_MODEL, KEY, apply_model(run), options)
    return options[KEY]
