"""A run that is interrupted at any model call leaves nothing behind: the same graph again gives the same picture."""

from __future__ import annotations

import torch
from pack.tests.patches.beside import state
from pack.tests.trust.building import Graph, latent
from pack.tests.trust.executor import run as execute
from pack.tests.trust.executor import tiny_scenes
from pack.tests.trust.special_inputs import patched
from pack.tests.trust.tally import Check, Tally

POINTS = 20
SAMPLERS = ("euler", "dpmpp_2m_sde")


class Calls:
    """Counts the calls of a network, and interrupts the host in call `stop`."""

    def __init__(self) -> None:
        self.count, self.stop = 0, None

    def __call__(self, *_: object) -> None:
        import comfy.model_management

        self.count += 1
        if self.count == self.stop:
            comfy.model_management.interrupt_current_processing(True)


def graph(sampler: str) -> dict:
    """All that patches a MODEL, on one."""
    g = Graph()
    for effect in ("regions", "inject", "infuse", "ledits", "phrase"):
        g.model = patched(g, effect)
    g.sample(g.model, size=g.give(latent(batch=2)), steps=5, sampler_name=sampler)
    return g.nodes


def run(tally: Tally) -> None:
    model = tiny_scenes()[0]
    calls = Calls()
    for sampler in SAMPLERS:
        given = graph(sampler)
        expected = execute(given).kept["picture"]["samples"]
        hook = model.model.diffusion_model.register_forward_pre_hook(calls)
        try:
            calls.count, calls.stop = 0, None
            execute(given)
            points = [1 + i * calls.count // (POINTS // 2) for i in range(POINTS // 2)]
            for point in points[:: 4 if tally.quick else 1]:
                with tally.case(f"{sampler}, call {point}"):
                    one(tally, given, expected, calls, point)
        finally:
            hook.remove()


def one(tally: Tally, given: dict, expected: torch.Tensor, calls: Calls, point: int) -> None:
    model, where = tiny_scenes()[0], f"interrupted at call {point}"
    before = left(model)
    calls.count, calls.stop = 0, point
    outcome = execute(given)
    tally.expect(outcome.kind == "interrupted", where, f"ended as {outcome.sentence()}")
    tally.expect(left(model) == before, where, "the MODEL's options or modules changed")
    calls.stop = None
    again = execute(given).kept["picture"]["samples"]
    tally.expect(torch.equal(again, expected), where, f"the next run differs by {(again - expected).abs().max():.3g}")


def left(model) -> tuple:
    modules = model.model.diffusion_model.modules()
    return state(model), [(len(m._forward_hooks), len(m._forward_pre_hooks), sorted(vars(m))) for m in modules]


CHECK = Check(
    "An interrupted run leaves nothing behind",
    f"{POINTS} model calls at which a graph of five effects is interrupted, two samplers: ended as interrupted, MODEL "
    "as before, the next run's picture the same bits",
    run,
)
