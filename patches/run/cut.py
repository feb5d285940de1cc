"""A sampler whose state is changed before chosen steps."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

from comfy.samplers import KSAMPLER, Sampler
from torch import Tensor

from .whole import Whole


@dataclass(frozen=True)
class Jump:
    """What one node does to the state, and when."""

    steps: Callable[[Tensor], list[int]]
    """sigmas -> the indices of the steps before which the state is changed; the end of the schedule is not a step."""
    change: Callable[[Tensor, Tensor, int], Tensor]
    """(x, sigmas, index) -> the new state."""
    node: str = ""


def check_sampler(sampler: Sampler) -> None:
    """ValueError: it has no function to call with a schedule."""
    if not hasattr(sampler, "sampler_function"):
        raise ValueError(
            f"The sampler {type(sampler).__name__} cannot be cut, as it does not take a list of sigmas; use one of the "
            "samplers of KSampler or of KSamplerSelect."
        )


def cut_sampler(sampler: KSAMPLER, jump: Jump) -> KSAMPLER:
    """A copy whose state jumps; what went in is untouched, and a copy of a copy makes both's jumps, the newer first.

    A sampler that holds another one among its options (Detail Daemon) is called once as ever, and the one in it is cut.
    """
    patched = copy.copy(sampler)
    held = {name: value for name, value in sampler.extra_options.items() if hasattr(value, "sampler_function")}
    if held:
        patched.extra_options = {**sampler.extra_options, **{name: cut_sampler(held[name], jump) for name in held}}
    else:
        patched.sampler_function = Jumping.over(sampler.sampler_function, jump)
    return patched


@dataclass(frozen=True)
class Jumping:
    """A sampler's function with jumps."""

    function: Callable
    jumps: tuple[Jump, ...]

    @classmethod
    def over(cls, function: Callable, jump: Jump) -> Jumping:
        inner, jumps = (function.function, function.jumps) if isinstance(function, cls) else (function, ())
        return cls(inner, (jump, *jumps))

    def __call__(self, model, x, sigmas, extra_args=None, callback=None, disable=None, **options):
        given = {"extra_args": extra_args, "callback": callback, "disable": disable, **options}
        due = [(jump, set(jump.steps(sigmas))) for jump in self.jumps]
        steps = sorted(set().union(*(indices for _, indices in due)))

        def change(x: Tensor, index: int) -> Tensor:
            for jump, indices in due:
                x = jump.change(x, sigmas, index) if index in indices else x
            return x

        if not steps:
            return self.function(model, x, sigmas, **given)
        if of_host(self.function):
            return self._in_segments(model, x, sigmas, given, steps, change)
        name = getattr(self.function, "__name__", type(self.function).__name__)
        whole = Whole(model, sigmas, steps, change, callback, name, self.jumps[0].node)
        return whole.end(self.function(whole, x.clone(), sigmas.clone(), **{**given, "callback": whole.callback}))

    def _in_segments(self, model, x, sigmas, given, steps, change):
        """Stops before each step and goes on from the changed state.

        Exact for every sampler of the host: those of several steps start their history anew, which a jump asks for.
        """
        starts = sorted({0, *steps})
        for start, end in zip(starts, [*starts[1:], len(sigmas) - 1], strict=True):
            if start in steps:
                x = change(x, start)
            part = sigmas[start : end + 1].clone()  # uni_pc writes into it
            seed, callback = _shifted_seed(given["extra_args"], start), _shifted(given["callback"], start)
            x = self.function(model, x, part, **{**given, "extra_args": seed, "callback": callback})
        return x


def of_host(function: Callable) -> bool:
    """Whether it is one of ComfyUI's own samplers, which plan nothing but the size: not another pack's."""
    layers = [function]
    while hasattr(layers[-1], "__wrapped__"):  # torch.no_grad is a layer too
        layers.append(layers[-1].__wrapped__)
    names = [getattr(layer, "__globals__", {}).get("__name__", "") for layer in layers]
    return all(name.split(".")[0] in ("comfy", "comfy_extras", "torch") for name in names)


def _shifted_seed(extra_args: dict | None, start: int) -> dict:
    """No two segments draw the same noise: each has its own seed."""
    args = dict(extra_args or {})
    if args.get("seed") is not None:
        args["seed"] = (args["seed"] + start) % 2**64
    return args


def _shifted(callback: Callable | None, start: int) -> Callable | None:
    """Counts steps from the start of the whole schedule: previews and progress go straight through."""
    return callback and (lambda state: callback({**state, "i": state["i"] + start}))
