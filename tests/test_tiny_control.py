"""The tiny ControlNet and LoRAs act on the tiny models, and count for nothing at strength 0."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("comfy.model_patcher", reason="no ComfyUI found: set COMFYUI_PATH or run tests/run.py")

from pack.tests import tiny_control  # noqa: E402
from pack.tests.tiny_models import FAMILIES, sample  # noqa: E402

FAMILY = FAMILIES["sd1"]


def paint(positive=None, negative=None, model=None, batch=1):
    positive, negative = positive or FAMILY.conditioning(), negative or FAMILY.conditioning("")
    return sample(model or FAMILY.model(), FAMILY.latent(batch), positive, negative)


def change(out):
    plain = paint(batch=len(out))
    assert out.isfinite().all()
    return float((out - plain).norm() / plain.norm())


def test_controlnet_changes_the_picture():
    conds = tiny_control.control(FAMILY.conditioning(), FAMILY.conditioning(""))
    assert change(paint(*conds)) > 1e-2
    assert change(paint(*conds, batch=2)) > 1e-2


def test_controlnet_outside_its_window_changes_nothing():
    conds = tiny_control.control(FAMILY.conditioning(), FAMILY.conditioning(""), start=1.0)
    assert change(paint(*conds)) == 0


@pytest.mark.parametrize("name", FAMILIES)
def test_a_lora_changes_every_family(name):
    family = FAMILIES[name]
    model = family.model()
    patched = tiny_control.with_lora(model)
    outs = [sample(m, family.latent(), family.conditioning(), [], 1, 1.0) for m in (model, patched, model)]
    assert (outs[1] - outs[0]).norm() / outs[0].norm() > 1e-3
    assert torch.equal(outs[0], outs[2])


def test_hooks_change_only_the_conditioning_that_carries_them():
    hooks = tiny_control.lora_hooks(FAMILY.model())
    hooked = tiny_control.hooked(FAMILY.conditioning(), hooks)
    assert change(paint(hooked)) > 1e-3
    both = paint(hooked, tiny_control.hooked(FAMILY.conditioning(""), hooks))
    assert torch.allclose(both, paint(model=tiny_control.with_lora(FAMILY.model())), atol=1e-2)
    assert change(paint()) == 0


def test_hooks_at_strength_zero_change_nothing():
    hooks = tiny_control.lora_hooks(FAMILY.model(), strength=0.0)
    assert change(paint(tiny_control.hooked(FAMILY.conditioning(), hooks))) < 1e-5  # hooked rows run in their own batch
