"""A sampler that stops at chosen steps and goes on from a changed state."""

from __future__ import annotations

import copy
from collections.abc import Callable

from comfy.samplers import KSAMPLER
from torch import Tensor


def cut_sampler(sampler: KSAMPLER, cuts: Callable[[Tensor], list[int]], change: Callable[..., Tensor]) -> KSAMPLER:
    """A copy that runs the schedule in segments; what went in is untouched, and a copy of a copy cuts at both's steps.

    cuts(sigmas) -> the indices of the steps before which `change(model, x, sigmas, index)` gives the new state; the
    end of the schedule is not a step. Multistep samplers start their history anew at each segment, which is what a
    jump of the state asks for. ValueError: the sampler has no function to call with a schedule.
    """
    function = getattr(sampler, "sampler_function", None)
    if function is None:
        raise ValueError(
            f"The sampler {type(sampler).__name__} cannot be cut, as it does not take a list of sigmas; use one of the "
            "samplers of KSampler or of KSamplerSelect."
        )

    def segments(model, x, sigmas, extra_args=None, callback=None, disable=None, **options):
        due = sorted(cuts(sigmas))
        starts = sorted({0, *due})
        if not due:
            return function(model, x, sigmas, extra_args=extra_args, callback=callback, disable=disable, **options)
        for start, end in zip(starts, [*starts[1:], len(sigmas) - 1], strict=True):
            if start in due:
                x = change(model, x, sigmas, start)
            part = sigmas[start : end + 1].clone()  # uni_pc writes into it
            given = {"extra_args": _shifted_seed(extra_args, start), "callback": _shifted(callback, start)}
            x = function(model, x, part, disable=disable, **given, **options)
        return x

    patched = copy.copy(sampler)
    patched.sampler_function = segments
    return patched


def _shifted_seed(extra_args: dict | None, start: int) -> dict:
    """No two segments draw the same noise: each has its own seed, also where a cut sampler is cut again."""
    args = dict(extra_args or {})
    if args.get("seed") is not None:
        args["seed"] = (args["seed"] + start) % 2**64
    return args


def _shifted(callback: Callable | None, start: int) -> Callable | None:
    """Counts steps from the start of the whole schedule: previews and progress go straight through."""
    return callback and (lambda state: callback({**state, "i": state["i"] + start}))
