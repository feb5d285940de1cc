"""Off is exact: with every effect at its neutral value each sampler of the host gives the unpatched picture's bits."""

from __future__ import annotations

from itertools import product

import torch
from pack.tests.trust.effects import EFFECTS, Scene, scene
from pack.tests.trust.tally import Check, Tally

MODELS = {"eps": "sd1", "v": "sd2_v", "flow": "sd3"}
BATCHES = (1, 3)
SCALES = (1.0, 7.0)


def run(tally: Tally) -> None:
    from comfy.samplers import KSampler

    cases = list(product(KSampler.SAMPLERS, MODELS, BATCHES, SCALES))
    for name, kind, batch, cfg in tally.share(cases, quick=24):
        where = f"{name}, {kind}, batch {batch}, CFG {cfg:g}"
        with tally.case(where):
            compare(tally, where, scene(MODELS[kind], batch=batch), sampler=name, cfg=cfg)


def compare(tally: Tally, where: str, plain: Scene, **options) -> None:
    """Every effect off against the unpatched picture; what the host itself cannot sample is a note."""
    try:
        expected = plain.draw(**options)
    except (RuntimeError, ValueError, NotImplementedError, IndexError, TypeError, AssertionError) as error:
        tally.notes.append(f"the host itself fails at {where}: {type(error).__name__}: {error}"[:200])
        return
    if not expected.isfinite().all():
        expected = expected.nan_to_num()  # a sampler that runs away on random weights runs away to the same bits
    for name, effect in EFFECTS.items():
        with tally.case(f"{name}, {where}"):
            got = effect(plain, False).draw(**options).nan_to_num()
            tally.expect(torch.equal(got, expected), f"{name}, {where}", f"off by {(got - expected).abs().max():.3g}")


CHECK = Check(
    "Off is exact",
    "regions, capture, inject, infuse, concepts, replay, slerp at neutral, each alone x every sampler x eps, v, flow "
    "x batch 1, 3 x CFG 1, 7: the unpatched bits",
    run,
    parts=4,
)
