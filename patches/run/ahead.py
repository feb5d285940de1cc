"""The picture to come, seen before it is made: plain steps from here on, forgotten afterwards."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor

from .effect import Effect
from .run import Run

STEPS, UNTIL = 3, 0.9
"""Model calls, and the percent of the noise schedule at which the last one looks."""


def look_ahead(run: Run, watcher: Effect) -> None:
    """Shows `watcher` the rest of the run in STEPS calls of the model, Euler's steps from where the sampler stands.

    To be called in an effect's `step`. Other effects take part as far as they are `foreseen`. They and the keyframes of
    the host's hooks, which only go forward, are afterwards as they were.
    """
    effects, sigma, x = run.effects, run.sigma, run.x
    foreseen, keyframes = [effect for effect in effects if effect.foreseen], _keyframes(run)
    known = [(one, dict(vars(one))) for one in (*foreseen, *keyframes)]
    run.effects = [*foreseen, watcher]
    levels = _levels(run)
    try:
        for level, following in pairwise([*levels, 0.0]):
            run.begin(level)
            denoised = _whole(run, run.ask(x, level))
            x = denoised + (x - denoised) * (following / level)
    finally:
        run.effects = effects
        run.sigma, run.calls, run.predictions = sigma, 0, {}
        for one, before in known:
            vars(one).clear()
            vars(one).update(before)
        if keyframes:  # weights of a later keyframe
            run.guider.model_patcher.cached_hook_patches.clear()
            run.guider.model_patcher.patch_hooks(None)


def _keyframes(run: Run) -> list[object]:
    """The keyframes of the hooks on all prompts; several hooks may share them."""
    conds = [cond for listed in run.guider.conds.values() for cond in listed if cond.get("hooks")]
    groups = [hook.hook_keyframe for cond in conds for hook in cond["hooks"].hooks]
    return list({id(group): group for group in groups if not group.is_empty()}.values())


def _levels(run: Run) -> list[float]:
    """From here to UNTIL, each the same part of the one before."""
    part = min(float(run.sampling.percent_to_sigma(UNTIL)) / run.sigma, 1.0)
    return [run.sigma * part ** (i / (STEPS - 1)) for i in range(STEPS)]


def _whole(run: Run, denoised: Tensor) -> Tensor:
    """Outside the host's denoise mask the picture stays."""
    mask = run.given["denoise_mask"]
    return denoised if mask is None else denoised * mask + run.given["latent_image"] * (1 - mask)
