"""Every subset of six effects, in both orders, alone and beside other nodes: deterministic, and nothing is left behind.

In the second order everything stands the other way round: the companion is last instead of first.
"""

from __future__ import annotations

from itertools import chain, combinations, product

import torch
from pack.tests.patches.beside import state
from pack.tests.trust.companions import COMPANIONS, Companion
from pack.tests.trust.effects import SIX, Scene, scene
from pack.tests.trust.tally import Check, Tally

SUBSETS = tuple(chain.from_iterable(combinations(SIX, count) for count in range(len(SIX) + 1)))


def run(tally: Tally) -> None:
    before = {name: reloaded(scene(name)) for name in {companion.model for companion in COMPANIONS.values()}}
    for name, subset in tally.share(list(product(COMPANIONS, SUBSETS)), quick=12):
        where = f"{name} beside {' + '.join(subset) or 'no effect'}"
        with tally.case(where):
            one(tally, where, COMPANIONS[name], subset)
            after = reloaded(scene(COMPANIONS[name].model))
            tally.expect(after == before[COMPANIONS[name].model], where, "the MODEL that went in is not as it was")


def one(tally: Tally, where: str, companion: Companion, subset: tuple[str, ...]) -> None:
    plain = scene(companion.model)
    forward = stacked(companion.add(plain), subset)
    backward = companion.add(stacked(plain, subset[::-1]))
    options = state(forward.model), state(backward.model)
    out, again, other = forward.draw(), forward.draw(), backward.draw()
    tally.expect(bool(out.isfinite().all()), where, "the picture is not finite")
    tally.expect(torch.equal(out, again), where, f"the second run differs by {(out - again).abs().max():.3g}")
    bound = 1e-5 * out.abs().max()  # sums of biases in another order
    far = (out - other).abs().max()
    tally.expect(
        bool(far <= bound), where, f"the other order differs by {far:.3g}, the picture is {out.abs().max():.3g}"
    )
    tally.expect((state(forward.model), state(backward.model)) == options, where, "a run changed the MODEL's options")
    if "capture" in subset:
        bare = stacked(companion.add(plain), tuple(name for name in subset if name != "capture")).draw()
        tally.expect(torch.equal(out, bare), where, f"capture moves the picture by {(out - bare).abs().max():.3g}")


def stacked(scene: Scene, names: tuple[str, ...]) -> Scene:
    for name in names:
        scene = SIX[name](scene, True)
    return scene


def reloaded(plain: Scene) -> tuple:
    """What may be left behind: the plain picture, and options, weights, hooks and attributes once it was drawn.

    The host keeps a LoRA in the weights until the next clone is loaded, which drawing does.
    """
    picture, model = plain.draw(), plain.model
    network = model.model.diffusion_model
    weights = [int(weight.view(torch.int32).sum()) for weight in network.parameters()]
    modules = [(len(m._forward_hooks), len(m._forward_pre_hooks), sorted(vars(m))) for m in network.modules()]
    return picture.tolist(), state(model), weights, modules


CHECK = Check(
    "Effects stack",
    f"{len(SUBSETS)} subsets of six effects x {len(COMPANIONS)} companions ({', '.join(COMPANIONS)}): two orders "
    "equal, run twice, capture free, MODEL, weights and modules untouched",
    run,
    parts=4,
)
