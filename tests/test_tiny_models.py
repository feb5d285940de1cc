"""The tiny models run in the host's own sampler, their text matters, and they call attention as described."""

from __future__ import annotations

import pytest
from pack.attention.phrases import positions

pytest.importorskip("comfy.model_patcher", reason="no ComfyUI found: set COMFYUI_PATH or run tests/run.py")

from pack.patches.run.track import read_tag  # noqa: E402
from pack.tests.tiny_models import FAMILIES, sample  # noqa: E402

EVERY = pytest.mark.parametrize("name", FAMILIES)


@EVERY
def test_two_steps_give_a_finite_picture(name):
    family = FAMILIES[name]
    for size in ({}, dict(batch=2, height=17, width=13)):
        latent = family.latent(**size)
        out = sample(family.model(), latent, family.conditioning(), family.conditioning(""))
        assert out.shape == latent.shape
        assert out.isfinite().all()
        assert out.std() > 1e-3


@EVERY
def test_one_word_changes_the_picture(name):
    family = FAMILIES[name]
    outs = [
        sample(family.model(), family.latent(), family.conditioning(prompt), [], steps=1, cfg=1.0)
        for prompt in ("a red dog and a blue cat", "a red dog and a blue cow")
    ]
    assert (outs[0] - outs[1]).norm() / outs[0].norm() > 1e-3


@EVERY
def test_the_tag_finds_phrases(name):
    tag = read_tag(FAMILIES[name].conditioning()[0][1])
    assert positions("red dog", tag) == [(2, 3)]
    assert positions("a", tag) == [(1,), (5,)]


CALLS = {
    "sd1": [(63, 63), (63, 77)] * 4,
    "sd15": [(63, 63), (63, 77)] * 5,
    "sd2_v": [(63, 63), (63, 77)] * 4,
    "sdxl": [(63, 63), (63, 77)] * 8,
    "wan": [(63, 63), (63, 12)] * 2,
    "flux": [(75, 75)] * 4,
    "chroma": [(75, 75)] * 4,
    "sd3": [(75, 75)] * 2,
    "sd35": [(75, 75), (63, 63), (75, 75)],
    "qwen_image": [(75, 75)] * 2,
    "lumina2": [(12, 12), (63, 63), (75, 75), (75, 75)],
    "z_image": [(32, 32), (64, 64), (96, 96), (96, 96)],
}
"""Tokens of q and k in the calls of one model call, in order, at a grid of 9 x 7 = 63; those of U-Nets at that grid."""


@EVERY
def test_attention_is_called_as_described(name):
    family, seen = FAMILIES[name], []
    latent = family.latent(height=17, width=13)

    def override(func, q, k, v, *args, **kwargs):
        axis = 2 if kwargs.get("skip_reshape") else 1
        seen.append((q.shape[axis], k.shape[axis]))
        return func(q, k, v, *args, **kwargs)

    model = family.model().clone()
    model.model_options["transformer_options"]["optimized_attention_override"] = override
    sample(model, latent, family.conditioning(), [], steps=1, cfg=1.0)
    assert family.grid(latent) == ((17, 13) if family.patch == 1 else (9, 7))
    assert [call for call in seen if family.patch == 2 or call[0] == 63] == CALLS[name]
