"""Overrides of other nodes that do not heed a mask: the regions come out, and a line in the log says so."""

import pytest
import torch
from pack.tests.patches.beside import paint, watch
from pack.tests.patches.guiding import concept, edit
from pack.tests.patches.placing import place, region
from pack.tests.tiny_models import FAMILIES


def overridden(model, override):
    patched = model.clone()
    patched.model_options["transformer_options"]["optimized_attention_override"] = override
    return patched


def pytorch(drop=False, refuse=False, polite=False, seen=None):
    """An override that ignores `func`, as packs' sage and flash attention; polite: not where exactness is asked for."""
    from comfy.ldm.modules.attention import attention_pytorch

    def override(func, q, k, v, heads, mask=None, **kwargs):
        exact = kwargs.get("low_precision_attention", True) is False
        if seen is not None:
            seen.append((mask is not None, exact))
        if mask is not None and refuse:
            raise RuntimeError("Flash attention does not support attention masks")
        dropped = drop and not (polite and exact)
        return attention_pytorch(q, k, v, heads, mask=None if dropped else mask, **kwargs)

    return override


def warnings(caplog):
    return [record.message for record in caplog.records if record.name.startswith("pack.patches")]


@pytest.mark.parametrize("name", ["sd1", "flux"])
@pytest.mark.parametrize("kind", [{"drop": True}, {"refuse": True}])
def test_an_override_without_masks_is_left_out_of_biased_calls(comfy, caplog, name, kind):
    """Within 1e-4 of the regions without it: other calls go on by its own attention."""
    family = FAMILIES[name]
    expected, plain = paint(place(family.model(), region()), family), paint(family.model(), family)
    out = paint(place(overridden(family.model(), pytorch(**kind)), region()), family)
    assert (plain - expected).abs().max() > 1e-2 * expected.abs().max()
    assert (out - expected).abs().max() <= 1e-4 * expected.abs().max()
    assert len(warnings(caplog)) == 1 and warnings(caplog)[0].startswith("Region Attention: ")


def test_an_override_that_is_asked_for_masks_keeps_the_biased_calls(comfy, caplog):
    model = FAMILIES["sd1"].model()
    expected = paint(place(overridden(model, pytorch()), region()))
    seen = []
    out = paint(place(overridden(model, pytorch(drop=True, polite=True, seen=seen)), region()))
    assert torch.equal(out, expected) and not warnings(caplog)
    assert {masked for masked, exact in seen if exact} >= {True} and not any(m and not exact for m, exact in seen)


def test_an_override_that_heeds_masks_sees_every_call_once(comfy, caplog):
    """One extra call in a run at most, to compare; none where it gives what the backend gives."""
    model, calls = FAMILIES["sd1"].model(), []

    def through(func, *args, **kwargs):
        calls.append(kwargs.get("mask"))
        return func(*args, **kwargs)

    expected = paint(place(model, region()))
    assert torch.equal(paint(place(overridden(model, through), region())), expected)
    assert len(calls) == 2 * 2 * 7  # steps, self- and cross-attention, blocks; both prompts in one call
    seen = []
    paint(place(overridden(model, pytorch(seen=seen)), region()))
    assert len(seen) == len(calls) + 1 and not warnings(caplog)


def test_neutral_settings_change_nothing_beside_such_an_override(comfy):
    seen, model = [], FAMILIES["sd1"].model()
    plain = paint(overridden(model, pytorch(drop=True)))
    off = place(overridden(model, pytorch(drop=True, seen=seen)), region(strength=0.0, outside=0.0))
    assert torch.equal(paint(off), plain) and not any(masked or exact for masked, exact in seen)


def test_an_error_that_is_not_the_masks_is_the_overrides_own(comfy):
    def broken(func, q, k, v, heads, *args, **kwargs):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        paint(place(overridden(FAMILIES["sd1"].model(), broken), region()))


def bypassed(model):
    """As packs that call their own attention in every block."""
    from comfy.ldm.modules.attention import attention_basic

    patched = model.clone()
    for kind, count in (("input", 4), ("middle", 1), ("output", 4)):
        for i in range(count):
            patched.set_model_attn2_replace(lambda q, k, v, o: attention_basic(q, k, v, o["n_heads"]), kind, i)

    def late(executor, x, timesteps, context, y, control, options, **kwargs):
        options = {**options, "patches_replace": patched.model_options["transformer_options"]["patches_replace"]}
        options.pop("optimized_attention_override", None)
        return executor(x, timesteps, context, y, control, options, **kwargs)

    passing = model.clone()
    passing.add_wrapper("diffusion_model", late)
    return passing


def test_a_model_that_bypasses_the_hosts_attention_is_told(comfy, caplog):
    model = FAMILIES["sd1"].model()
    plain = paint(bypassed(model))
    assert torch.equal(paint(place(bypassed(model), region())), plain)
    patched, maps = watch(bypassed(model))
    assert torch.equal(paint(patched), plain) and not maps.runs
    edited = [paint(edit(bypassed(model), concept(), mask=mask)) for mask in ("ledits", "joint")]
    assert torch.equal(*edited)
    first, second, third = warnings(caplog)
    assert third.startswith("Semantic Guidance: The model's attention to the concepts was never met")
    assert first.startswith("Region Attention: In its window the model's attention to its phrases was never met")
    assert second == first.replace("Region Attention", "Attention Capture")


def test_a_run_in_which_phrases_are_looked_at_says_nothing(comfy, caplog):
    patched, maps = watch(place(FAMILIES["sd1"].model(), region()))
    paint(patched)
    assert maps.runs and not warnings(caplog)
