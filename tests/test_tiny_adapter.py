"""The IP-Adapter double behaves as the real pack does, wherever the real pack is at hand."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("comfy.model_patcher", reason="no ComfyUI found: set COMFYUI_PATH or run tests/run.py")

from pack.tests import tiny_adapter  # noqa: E402
from pack.tests.tiny_models import FAMILIES, sample  # noqa: E402

FAMILY = FAMILIES["sd15"]
MASK = torch.zeros(1, 16, 16)
MASK[:, :, :8] = 1


def paint(model, **size):
    return sample(model, FAMILY.latent(**size), FAMILY.conditioning(), FAMILY.conditioning(""))


def close(a, b):
    return float((a - b).norm() / b.norm()) < 1e-5


@pytest.fixture
def plain():
    return FAMILY.model()


def test_the_double_changes_the_picture_by_its_weight(plain):
    base = paint(plain)
    assert torch.equal(paint(tiny_adapter.double(plain, weight=0.0)), base)
    assert (paint(tiny_adapter.double(plain)) - base).norm() / base.norm() > 1e-2
    assert torch.equal(paint(plain), base)


def test_a_second_double_is_added_to_the_first(plain):
    once = tiny_adapter.double(plain)
    twice = tiny_adapter.double(once, seed=1)
    replaces = twice.model_options["transformer_options"]["patches_replace"]["attn2"]
    assert {len(replace.parts) for replace in replaces.values()} == {2}
    assert not close(paint(twice), paint(tiny_adapter.double(plain, seed=1)))


def test_the_double_breaks_on_a_plain_function_at_its_key(plain):
    taken = plain.clone()
    taken.set_model_attn2_replace(lambda q, k, v, options: q, "input", 4)
    with pytest.raises(AttributeError, match="add"):
        tiny_adapter.double(taken)


def test_the_double_never_reaches_an_override(plain):
    patched, seen = tiny_adapter.double(plain), []

    def override(func, *args, **kwargs):
        seen.append((kwargs["transformer_options"]["block"], args[0].shape[1] == args[1].shape[1]))
        return func(*args, **kwargs)

    patched.model_options["transformer_options"]["optimized_attention_override"] = override
    paint(patched)
    crosses = {block for block, is_self in seen if not is_self}
    assert crosses == {("middle", 0)}, "the pack's key for SD1.5's middle, 1, is not the host's, 0"


@pytest.mark.parametrize("size", [{}, {"batch": 2}, {"batch": 2, "height": 17, "width": 13}])
@pytest.mark.parametrize("mask", [None, MASK])
def test_the_double_equals_the_real_pack(comfy, plain, size, mask):
    real = tiny_adapter.real(plain, weight=0.8, attn_mask=mask)
    assert close(paint(tiny_adapter.double(plain, weight=0.8, mask=mask), **size), paint(real, **size))


def test_two_real_adapters(comfy, plain):
    real = tiny_adapter.real(tiny_adapter.real(plain), seed=1)
    assert close(paint(tiny_adapter.double(tiny_adapter.double(plain), seed=1)), paint(real))


def test_the_real_pack_breaks_on_a_plain_function_at_its_key(comfy, plain):
    tiny_adapter.real_pack()
    taken = plain.clone()
    taken.set_model_attn2_replace(lambda q, k, v, options: q, "input", 4)
    with pytest.raises(AttributeError, match="add"):
        tiny_adapter.real(taken)


def test_the_real_pack_keeps_to_its_window(plain):
    assert torch.equal(paint(tiny_adapter.real(plain, start_at=1.0)), paint(plain))


def test_the_real_pack_sees_a_picture(plain):
    picture = torch.rand(1, 224, 224, 3, generator=torch.Generator().manual_seed(0))
    outs = [paint(tiny_adapter.real_from_picture(plain, image)) for image in (picture, 1 - picture)]
    assert not close(*outs)
    assert not close(outs[0], paint(plain))


def test_the_double_on_keys_with_an_index():
    family = FAMILIES["sdxl"]
    given = (family.latent(2), family.conditioning(), family.conditioning(""))
    seen = []
    patched = tiny_adapter.double(family.model(), keys=tiny_adapter.SDXL_KEYS)
    options = patched.model_options["transformer_options"]
    options["optimized_attention_override"] = lambda f, q, k, *a, **o: seen.append(k.shape[1]) or f(q, k, *a, **o)
    assert not close(sample(patched, *given), sample(family.model(), *given))
    assert seen and 77 not in seen
