"""Memory stays flat over many runs, and a handle keeps no more than it says."""

from __future__ import annotations

import copy
import gc
import types

import torch
from pack.tests.trust.building import Graph, latent
from pack.tests.trust.executor import GIVEN
from pack.tests.trust.executor import run as execute
from pack.tests.trust.special_inputs import patched
from pack.tests.trust.tally import Check, Tally

RUNS = 200
WARM = 50
"""Runs before the first look: caches of torch and the host fill."""
OBJECTS = 100
"""Growth of the number of objects that is still flat: less than one a run."""
HOST = {"LoadedModel", "finalize", "_Info", "ReferenceType", "weakref", "method", "builtin_function_or_method"}
"""Kinds of what the host keeps of every load while the model lives, also of plain graphs: a finalizer and its parts."""
MEGABYTES = 24
"""Growth of the process that is still flat: the allocator's, two pictures of noise at most."""


def graph() -> dict:
    """Five effects on one MODEL, and a reader of a handle."""
    g = Graph()
    for effect in ("regions", "inject", "infuse", "ledits"):
        g.model = patched(g, effect)
    made = g.own("LM_AttentionCapture", {}, model=g.model, phrase="red circle", self_attention=True)
    g.keep(g.own("LM_MaskFromAttentionMaps", {}, maps=[made[0], 1], latent=g.sample(made)), "mask")
    return g.nodes


def run(tally: Tally) -> None:
    runs, warm = (40, 20) if tally.quick else (RUNS, WARM)
    seen = []
    for i in range(runs):
        GIVEN.clear()
        outcome = execute(graph())
        tally.expect(outcome.kind == "ok", f"run {i}", outcome.sentence())
        if i + 1 in (warm, runs):
            seen.append(measured())
    objects, memory = (last - first for first, last in zip(*seen, strict=True))
    tally.notes.append(f"after run {warm}: {objects:+d} objects of {seen[0][0]}, {memory / 2**20:+.1f} MB")
    tally.expect(objects <= OBJECTS, "200 runs", f"{objects} objects more than after run {warm}")
    tally.expect(memory <= MEGABYTES * 2**20, "200 runs", f"{memory / 2**20:.1f} MB more than after run {warm}")
    handles(tally)


def measured() -> tuple[int, int]:
    """(objects that the garbage collector knows, but for the host's own, bytes of this process in memory)."""
    import psutil

    gc.collect()
    return sum(type(one).__name__ not in HOST for one in gc.get_objects()), psutil.Process().memory_info().rss


def handles(tally: Tally) -> None:
    """The bytes that a handle keeps for one run; after 300 runs it holds as many and as much as it says, no more."""
    from pack.patches.run.maps import BYTES, KEPT

    for effect, title in {"capture": "Attention Capture", "phrase": "Latent Cache Inject", "ledits": "Edits"}.items():
        for side, batch in ((16, 1), (64, 4)):
            maps, where = handle(effect, side, batch), f"{title}, {batch} x {side}x{side}"
            once = reached(maps)
            tally.notes.append(f"the handle of {where}, one step: {once:,} bytes a run")
            for _ in range(20 if tally.quick else 300):
                maps.add(copy.deepcopy(maps.runs[-1]))
            kept = reached(maps)
            tally.expect(
                len(maps.runs) <= KEPT and kept <= max(BYTES, once), where, f"{len(maps.runs)} runs, {kept} bytes"
            )


def handle(effect: str, side: int, batch: int):
    """A handle after one run."""
    g = Graph()
    if effect == "capture":
        made = g.own("LM_AttentionCapture", {}, model=g.model, phrase="red circle", start_percent=0.0)
    else:
        made = patched(g, effect, side, side)
    g.keep(made, "maps", 1)
    g.sample(made, size=g.give(latent(side, side, batch)), steps=1)
    return execute(g.nodes, seconds=300).kept["maps"]


def reached(root: object) -> int:
    """Bytes of all storages of tensors that can be reached from an object, each once."""
    seen, storages, waiting = set(), {}, [root]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, type | types.ModuleType | types.FunctionType):
            continue
        seen.add(id(item))
        if isinstance(item, torch.Tensor):
            storage = item.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
        else:
            waiting.extend(gc.get_referents(item))
    return sum(storages.values())


CHECK = Check(
    "Memory stays flat",
    f"{RUNS} graphs of five effects and a reader: objects and bytes of the process after run {WARM} and at the end; "
    "the bytes a handle keeps of a run, and after 300",
    run,
)
