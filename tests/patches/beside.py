"""Graphs in which our nodes stand before or after others, on the tiny model sd1, and what must hold of them."""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable

import torch
from pack.tests.patches.placing import Explicit, Told, close, left, place, region
from pack.tests.tiny_models import FAMILIES, Family, sample
from torch import Tensor

SD1 = FAMILIES["sd1"]
CELLS = {"in.1": 1, "in.3": 2, "mid.0": 2, "out.0": 2, "out.1": 2, "out.2": 1, "out.3": 1}
"""How many latent cells lie along a token's side in each block."""


def told(family: Family = SD1, **options) -> Told:
    """What `region()` says of the positive, for the explicit reference."""
    return Told(family.conditioning()[0][0], [(left(), (2, 3), 1.0, 0.3)], **options)


_loaded: deque = deque(maxlen=2)
atexit.register(_loaded.clear)


def kept(model):
    """The same model, which stays until the next one is sampled: for one that is gone the host collects all garbage."""
    _loaded.append(model)
    return model


def paint(model, family: Family = SD1, size: tuple[int, int] = (16, 16), batch: int = 1, **options) -> Tensor:
    given = family.conditioning(), family.conditioning("blurry")
    return sample(kept(model), family.latent(batch, *size), *given, **options)


def watch(model, **options):
    """AttentionCapture of every step, self-attention too -> model, maps."""
    from pack.patches.capture import CaptureSettings, capture

    return capture(model, CaptureSettings(("red dog", "cat"), **{"self_attention": True, **options}))


def off(model):
    """Our nodes at their neutral values: no strength, no step of the run, no change from reading."""
    from pack.patches.run.window import Window

    neutral = place(model, region(strength=0.0, outside=0.0))
    closed = place(neutral, region(), window=Window(0.98, 0.99))
    return watch(closed)


def holds(node: Callable, draw: Callable = paint, grids: bool = True) -> None:
    """In both orders regions are what the explicit reference says, twice, and neutral values change no bit."""
    model = SD1.model()
    alone, before = node(model), state(model)
    plain = draw(alone)
    explicit = draw(Explicit(told()).on(alone))
    first, last = node(place(model, region())), place(alone, region())
    beside = state(first), state(last), state(alone)
    out = draw(first)
    assert close(out, explicit, plain)
    assert torch.equal(draw(last), out)
    assert torch.equal(draw(last), out), "the second run differs"
    assert (state(first), state(last), state(alone)) == beside, "a run left something in the options"
    (ours, seen), (watched, late) = off(model), off(alone)
    for neutral, maps in ((node(ours), seen), (watched, late)):
        assert torch.equal(draw(neutral), plain)
        read(maps, plain, grids)
    assert state(model) == before, "the model that went in was changed"


def read(maps, picture: Tensor, grids: bool = True) -> None:
    """One run, with a map of every block and word for each picture, of probabilities, on the block's grid."""
    assert len(maps.runs) == 1
    captured = maps.runs[0]
    batch, _, height, width = picture.shape
    assert captured.words[:2] == captured.phrases == ("red dog", "cat")
    want = {block: (batch, len(captured.words), -(-height // n), -(-width // n)) for block, n in CELLS.items()}
    got = {block: tuple(layer.shape) for block, layer in captured.layers.items()}
    assert got == want if grids else got.keys() == want.keys()
    assert all(0 < layer.min() and layer.max() < 1 for layer in captured.layers.values())


def state(model) -> object:
    """All that a node or a run may leave on a MODEL, by the identity of its leaves."""
    kept = model.model_options, model.wrappers, model.callbacks, model.object_patches, model.patches
    return _walk(kept)


def _walk(value: object) -> object:
    if isinstance(value, dict):
        return {key: _walk(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(item) for item in value]
    return id(value)
