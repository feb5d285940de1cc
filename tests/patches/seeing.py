"""Attention read from an unpatched model by `attn2` replaces: a reference of the captured maps that shares no code."""

from __future__ import annotations

import torch
from pack.tests.tiny_models import FAMILIES, sample

PLACES = [("input", i) for i in range(9)] + [("middle", 0)] + [("output", i) for i in range(12)]
FAMILY = FAMILIES["sd1"]
ROWS = {"red dog": (2, 3), "red": (2,), "dog": (3,), "blue": (6,), "cat": (7,)}
"""Of the words of the tiny models' prompt."""
NAMES = {"input": "in", "middle": "mid", "output": "out"}


class Reader:
    """Where batch rows with one text look at words of it, over all model calls.

    text (1, n, C); words: word -> its rows. Rows of a batch are known by their text, repeated as the host repeats it.
    """

    def __init__(self, text, words, sigmas=(0.0, float("inf"))):
        self.text, self.words, self.sigmas = text, words, sigmas
        self.seen, self.context = {}, None
        """(block, word) -> list of (b, h, w), one per model call."""

    def on(self, model):
        patched = model.clone()
        patched.set_model_attn2_patch(self._remember)
        for place in PLACES:
            patched.set_model_attn2_replace(self._attend, *place)
        return patched

    def mean(self, block, word):
        return torch.stack(self.seen[block, word]).mean(0).float()

    def blocks(self):
        return {block for block, _ in self.seen}

    def _remember(self, n, context, value, extra_options):
        self.context = context
        return n, context, value

    def _attend(self, q, k, v, extra_options):
        import comfy.ldm.modules.attention as host

        if self.sigmas[0] <= float(extra_options["sigmas"][0]) <= self.sigmas[1]:
            self._read(q, k, extra_options)
        return host.optimized_attention(q, k, v, extra_options["n_heads"])

    def _read(self, q, k, options):
        q, k = (t.unflatten(2, (options["n_heads"], -1)).transpose(1, 2).double() for t in (q, k))
        seen = (q @ k.mT / q.shape[3] ** 0.5).softmax(-1).mean(1)
        times, rest = divmod(self.context.shape[1], self.text.shape[1])
        own = [not rest and torch.equal(text, self.text[0].repeat(times, 1)) for text in self.context]
        if not any(own):
            return
        seen = seen[own].unflatten(2, (times, -1)).sum(2).unflatten(1, tuple(options["activations_shape"][2:]))
        kind, number = options["block"]
        for word, rows in self.words.items():
            self.seen.setdefault((f"{NAMES[kind]}.{number}", word), []).append(seen[..., list(rows)].mean(-1))


def capture(model, *phrases, **settings):
    """AttentionCapture on a model: (patched, handle)."""
    from pack.patches import capture as module

    return module.capture(model, module.CaptureSettings(phrases, **settings))


def agree(captured, word, reader) -> bool:
    """Whether the captured maps of a word are the reader's, in every block, to 1e-5; they must not be flat."""
    assert set(captured.layers) == reader.blocks()
    at = captured.words.index(word)
    for block, layer in captured.layers.items():
        explicit = reader.mean(block, word)
        assert explicit.max() > 1.05 * explicit.min()
        if layer[:, at].shape != explicit.shape or (layer[:, at] - explicit).abs().max() > 1e-5 * explicit.max():
            return False
    return True


def texts():
    return FAMILY.conditioning(), FAMILY.conditioning("blurry red dog")


def seen(model, latent, positive, negative, *phrases, steps=2, **settings):
    """The one run's maps."""
    patched, maps = capture(model, *phrases, **settings)
    sample(patched, latent, positive, negative, steps=steps)
    (captured,) = maps.runs
    return captured


def read(text, words, model, latent, positive, negative, steps=2, **options):
    reader = Reader(text, words, **options)
    sample(reader.on(model), latent, positive, negative, steps=steps)
    return reader
