"""The attention override beside what other packs do to attention."""

from types import SimpleNamespace

import pytest
import torch
from pack.tests.patches.placing import PLACES, Explicit, Told, close, left, place, region
from pack.tests.tiny_models import FAMILIES, sample

FAMILY = FAMILIES["sd1"]


def given():
    return FAMILY.latent(1, 15, 16), FAMILY.conditioning(), FAMILY.conditioning("", 154)


def told():
    return Told(FAMILY.conditioning()[0][0], [(left(), (2, 3), 1.0, 0.3)])


def test_a_replace_that_adds_to_the_text_keeps_what_it_adds(comfy):
    """As IP-Adapter's: the text's attention is biased, the rest is theirs; keys of two and of three parts."""
    from comfy.ldm.modules.attention import optimized_attention

    explicit, model = Explicit(told()), FAMILY.model().clone()
    reference = explicit.on(model)
    for i, place_ in enumerate(PLACES):
        key = (*place_, *((0,) if i % 2 else ()))
        model.set_model_attn2_replace(
            lambda q, k, v, o: optimized_attention(q, k, v, o["n_heads"]) + 0.3 * q.sin(), *key
        )
        reference.set_model_attn2_replace(lambda q, k, v, o: explicit.attend(q, k, v, o) + 0.3 * q.sin(), *key)
    plain = sample(model, *given())
    assert close(sample(place(model, region()), *given()), sample(reference, *given()), plain)


def test_a_replace_that_comes_after_us_leaves_no_mark(comfy):
    """Its block's text never reaches the override; the next self-attention must not be taken for it."""
    seen = []

    def late(executor, x, timesteps, context, y, control, options, **kwargs):
        replaces = {"attn2": dict.fromkeys(PLACES, lambda q, k, v, extra_options: q)}
        return executor(x, timesteps, context, y, control, {**options, "patches_replace": replaces}, **kwargs)

    def read(func, q, k, v, *args, **kwargs):
        seen.append((q.shape == k.shape, kwargs.get("mask")))
        return func(q, k, v, *args, **kwargs)

    model = FAMILY.model().clone()
    model.model_options["transformer_options"]["optimized_attention_override"] = read
    patched = place(model, region())
    patched.add_wrapper("diffusion_model", late)
    sample(patched, *given())
    assert seen and set(seen) == {(True, None)}


@pytest.mark.parametrize("when", ["outer_sample", "predict_noise"])
def test_a_pack_that_sets_its_override_and_replace_while_the_run_lasts(comfy, when):
    """Between two of our nodes or after them is the same as on the MODEL; every bias is added once."""
    from comfy.ldm.modules.attention import optimized_attention

    def replace(q, k, v, extra_options):
        return optimized_attention(q, k, v, extra_options["n_heads"]) + 0.1 * q

    def put(options):
        inner = options.get("optimized_attention_override", lambda func, *a, **k: func(*a, **k))
        options["optimized_attention_override"] = lambda *a, **k: inner(*a, **k) * 1.1
        options["patches_replace"] = {"attn2": {("middle", 0): replace}}

    def wrap(executor, *args, **kwargs):
        given_options = [arg for arg in args if isinstance(arg, dict)] or [executor.class_obj.model_options]
        put(given_options[0]["transformer_options"])
        return executor(*args, **kwargs)

    def late(model):
        patched = model.clone()
        patched.add_wrapper(when, wrap)
        return patched

    early = FAMILY.model().clone()
    put(early.model_options["transformer_options"])
    one, two, few = region(), region("cat", left().mT, 0.4), dict(steps=1)
    expected = sample(place(place(early, one), two), *given(), **few)
    assert torch.equal(sample(place(late(place(FAMILY.model(), one)), two), *given(), **few), expected)
    assert torch.equal(sample(late(place(place(FAMILY.model(), one), two)), *given(), **few), expected)
    assert not torch.equal(sample(place(place(FAMILY.model(), one), two), *given(), **few), expected)


def test_tokens_that_another_pack_appends_are_not_biased(comfy):
    masks = []

    def append(n, context, value, extra_options):
        extra = torch.ones(len(context), 4, context.shape[2])
        return n, torch.cat([context, extra], 1), torch.cat([value, extra], 1)

    def read(func, *args, **kwargs):
        masks.append(kwargs.get("mask"))
        return func(*args, **kwargs)

    model = FAMILY.model().clone()
    model.set_model_attn2_patch(append)
    model.model_options["transformer_options"]["optimized_attention_override"] = read
    out = sample(place(model, region()), *given())
    masks = [mask for mask in masks if mask is not None]
    assert out.isfinite().all() and {mask.shape[3] for mask in masks} == {158}
    columns = torch.stack([mask.abs().amax((0, 1, 2)) for mask in masks]).amax(0)
    assert columns.nonzero().flatten().tolist() == [2, 3, 79, 80]


def test_backends_without_float_masks_are_replaced_in_biased_calls_only(comfy):
    import comfy.ldm.modules.attention as host
    from pack.patches.run.biased import Biased
    from pack.patches.run.engine import Override
    from pack.patches.run.run import Run

    class Fixed(Override):
        def _call(self, given, options):
            return SimpleNamespace(effects=[], **options)

        def _mask(self, call):
            return call.mask

        def _more(self, call):
            return []

    def attention_flash(q, k, v, heads, **kwargs):
        raise AssertionError

    q, k, v = (torch.randn(2, n, 16, generator=torch.Generator().manual_seed(n)) for n in (6, 5, 5))
    mask = torch.randn(2, 1, 6, 5, generator=torch.Generator().manual_seed(0))
    override = Fixed(Run(None), None, None, Biased())
    for name in ("attention_flash", "attention_sage", "attention3_sage", "attention_comfy_kitchen_int8"):
        attention_flash.__name__ = name
        out = override(attention_flash, q, k, v, 4, transformer_options={"mask": mask}, _inside_attn_wrapper=True)
        assert torch.allclose(out, host.attention_basic(q, k, v, 4, mask=mask), atol=1e-6)
        with pytest.raises(AssertionError):
            override(attention_flash, q, k, v, 4, transformer_options={"mask": None})


@pytest.mark.parametrize("shape", [(6, 5), (2, 6, 5), (2, 1, 5), (2, 1, 6, 5), (2, 4, 6, 5), (2, 1, 1, 5)])
def test_masks_of_the_model_itself_join_ours(comfy, shape):
    """Float, and bool with True for what may be seen."""
    from pack.patches.run.biased import join

    ours, theirs = torch.randn(2, 1, 6, 5), torch.randn(shape)
    spread = theirs[:, None] if len(shape) == 3 else theirs
    assert torch.equal(join(ours, theirs), ours + spread) and join(ours, None) is ours
    seen = join(ours, theirs > 0).isfinite()
    assert torch.equal(seen, (spread > 0).expand_as(seen))
