"""One sampling run: everything that changes while it lasts, dropped with it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from comfy.samplers import CFGGuider
from torch import Tensor

from .rows import Entry, find, table

KEY = "lm_run"


class Effect:
    """What one placed node does during one run; a fresh object for every run."""

    def start(self, run: Run) -> None:
        """The run begins: `run.guider` is known, its conditionings are not yet."""

    def prepare(self, run: Run) -> None:
        """The conditionings are encoded and `run.table` is filled; nothing is sampled yet."""

    def step(self, run: Run) -> None:
        """The sampler calls the model; `run.sigma` is its noise level."""

    def finish(self, run: Run, samples: Tensor) -> None:
        """The run ended without error or interrupt; `samples` is the latent it returns."""


class Run:
    """The state of one sampling run. An instance: the host copies dicts and lists at every model call."""

    def __init__(self, guider: CFGGuider) -> None:
        self.guider = guider
        self.effects: list[Effect] = []
        self.table: dict[tuple[str, object], Entry] = {}
        self.noise_shape: tuple[int, ...] = ()
        """(B, C, h, w) or (B, C, frames, h, w) of the sampled latent."""
        self.sigmas: list[float] = []
        """The schedule of this run."""
        self.sigma = float("inf")
        self.calls = 0
        """CALC_COND_BATCH calls of this step so far: the first is the sampler's own, others are PAG's, SAG's, ..."""
        self.names: list[str | None] = []
        """Which list of the guider stands at each position of `cond_or_uncond`."""

    @property
    def options(self) -> dict:
        """The run's own transformer_options."""
        return self.guider.model_options["transformer_options"]

    @property
    def sampling(self) -> object:
        """The model_sampling of the model that samples."""
        return self.guider.model_patcher.get_model_object("model_sampling")

    def chunks(self, options: dict) -> list[Entry | None]:
        """The conditioning entry behind each chunk of the batch of a model call."""
        names = [self.names[i] if i < len(self.names) else None for i in options["cond_or_uncond"]]
        return [find(self.table, name, uuid) for name, uuid in zip(names, options["uuids"], strict=True)]


def attach(model: ModelPatcher, make: Callable[[], Effect]) -> ModelPatcher:
    """A clone of which every sampling run gets its own effect; two of the same node stack."""

    def outer_sample(executor, *args, **kwargs):
        run = _current(executor.class_obj)
        effect = make()
        run.effects.append(effect)
        effect.start(run)
        samples = executor(*args, **kwargs)
        effect.finish(run, samples)
        return samples

    patched = model.clone()
    patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, f"{KEY}_{uuid4().hex}", outer_sample)
    return patched


def _current(guider: CFGGuider) -> Run:
    """The guider's Run; `CFGGuider.sample` gives each run its own options and drops them at its end, also on error."""
    options = guider.model_options["transformer_options"]
    if KEY not in options:
        run = options[KEY] = Run(guider)
        add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, KEY, _sampler_sample(run), options)
        add_wrapper_with_key(WrappersMP.PREDICT_NOISE, KEY, _predict_noise(run), options)
        add_wrapper_with_key(WrappersMP.CALC_COND_BATCH, KEY, _calc_cond_batch(run), options)
    return options[KEY]


def _sampler_sample(run: Run) -> Callable:
    def wrapper(executor, guider, sigmas, extra_args, callback, noise, *args, **kwargs):
        run.noise_shape, run.sigmas = tuple(noise.shape), sigmas.tolist()
        run.table = table(guider.conds)
        for effect in run.effects:
            effect.prepare(run)
        return executor(guider, sigmas, extra_args, callback, noise, *args, **kwargs)

    return wrapper


def _predict_noise(run: Run) -> Callable:
    def wrapper(executor, x, timestep, *args, **kwargs):
        run.sigma, run.calls = float(timestep.flatten()[0]), 0
        for effect in run.effects:
            effect.step(run)
        return executor(x, timestep, *args, **kwargs)

    return wrapper


def _calc_cond_batch(run: Run) -> Callable:
    def wrapper(executor, model, conds, *args, **kwargs):
        before = run.names
        run.calls += 1
        lists = run.guider.conds.items()
        run.names = [next((name for name, known in lists if known is given), None) for given in conds]
        try:
            return executor(model, conds, *args, **kwargs)
        finally:
            run.names = before

    return wrapper
