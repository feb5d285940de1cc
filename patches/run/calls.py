"""What the host calls while it samples, with what a run's effects make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from .packed import with_video
from .rows import table
from .sizes import check_whole
from .told import speaking

if TYPE_CHECKING:
    from .run import Run

POSITIONS = "lm_positions"
"""`cond_or_uncond` with the rows that an effect appended; other packs see those as rows of the positive prompt."""


def sampler_sample(run: Run) -> Callable:
    def wrapper(executor, guider, sigmas, extra_args, callback, noise, *args, **kwargs):
        run.noise_shape, run.sigmas = tuple(run.video(noise).shape), sigmas.tolist()
        names = ("latent_image", "denoise_mask")
        run.given = {**dict(zip(names, args, strict=False)), **kwargs, "noise": noise, "seed": extra_args.get("seed")}
        run.table = table(guider.conds)
        run.each(lambda effect: effect.prepare(run))
        return executor(guider, sigmas, extra_args, callback, noise, *args, **kwargs)

    return wrapper


def predict_noise(run: Run) -> Callable:
    def wrapper(executor, x, timestep, *args, **kwargs):
        run.x = x
        run.ask = lambda state, sigma: executor(state, torch.full_like(timestep, sigma), *args, **kwargs)
        try:
            run.begin(float(timestep.flatten()[0]))
            out = executor(x, timestep, *args, **kwargs)
        finally:
            run.ask = None  # it knows the guider, whose options know the run
        state, plain = run.video(x), run.video(out)
        denoised = plain
        for effect in run.effects:
            with speaking(effect.node):
                denoised = effect.guide(run, state, denoised)
        return out if denoised is plain else with_video(out, denoised, run.latent_shapes)

    return wrapper


def calc_cond_batch(run: Run) -> Callable:
    def wrapper(executor, model, conds, *args, **kwargs):
        run.calls += 1
        own = run.calls == 1
        added = {name: rows for more in run.each(lambda e: e.append(run)) for name, rows in more.items()} if own else {}
        run.added = frozenset(added)
        lists = run.guider.conds.items()
        names = [next((name for name, known in lists if known is given), None) for given in conds]
        run.names = [*names, *added]
        out = executor(model, [*conds, *added.values()], *args, **kwargs)
        if own:
            run.predictions = dict(zip(run.names, map(run.video, out), strict=True))
        return out[: len(conds)]

    return wrapper


def apply_model(run: Run) -> Callable:
    """Tiles are refused. Packs such as IP-Adapter take `cond_or_uncond` for 0 = positive and 1 = negative."""

    def wrapper(executor, x, t, c_concat=None, c_crossattn=None, control=None, options=None, **kwargs):
        positions = options.get("cond_or_uncond", ()) if run.added else ()
        positive = run.names.index("positive") if "positive" in run.names else 0
        if any(run.names[i] in run.added for i in positions):
            mapped = [positive if run.names[i] in run.added else i for i in positions]
            options = {**options, "cond_or_uncond": mapped, POSITIONS: positions}
        whole = next((effect for effect in run.effects if effect.whole), None)
        if whole and "uuids" in options:
            with speaking(whole.node):
                check_whole(tuple(run.video(x).shape), run.size, run.chunks(options))
        return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)

    return wrapper
