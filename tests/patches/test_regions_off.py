"""Off is exact, nothing is left behind, order does not matter, and regions of several nodes add."""

import pytest
import torch
from pack.tests.patches.placing import left, place, region
from pack.tests.patches.run.test_run import state
from pack.tests.tiny_models import FAMILIES, sample

FAMILY = FAMILIES["sd1"]


def given():
    return FAMILY.latent(2, 15, 16), FAMILY.conditioning(), FAMILY.conditioning("red dog")


@pytest.mark.parametrize(
    ("off", "settings"),
    [
        (dict(strength=0.0, outside=0.0), {}),
        ({}, dict(window=(0.5, 0.5))),
        ({}, dict(window=(0.7, 0.2))),
        ({}, dict(window=(0.3, 0.6))),  # no step of this schedule lies in there
    ],
)
def test_off_is_the_unpatched_picture(comfy, off, settings):
    from pack.patches.run.window import Window

    settings = {name: Window(*value) for name, value in settings.items()}
    assert torch.equal(
        sample(place(FAMILY.model(), region(**off), **settings), *given()), sample(FAMILY.model(), *given())
    )


def test_a_phrase_of_a_conditioning_that_no_step_reads(comfy):
    """A range between the two steps: the other positives stay as they are, bit for bit."""
    import nodes

    latent, phrase, negative = given()
    positive = nodes.ConditioningSetTimestepRange().set_range(phrase, 0.3, 0.6)[0] + FAMILY.conditioning("a beach")
    plain = sample(FAMILY.model(), latent, positive, negative)
    assert torch.equal(sample(place(FAMILY.model(), region()), latent, positive, negative), plain)


def test_models_stay_as_they_were_and_runs_repeat_also_after_an_interrupt(comfy):
    model = others(FAMILY.model())
    before, plain = state(model), sample(model, *given())
    patched = place(model, region())
    placed, first = state(patched), sample(patched, *given())

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(patched, *given(), callback=stop)
    assert torch.equal(sample(patched, *given()), first) and torch.equal(sample(model, *given()), plain)
    assert not torch.equal(first, plain)
    assert state(model) == before and state(patched) == placed


def others(model):
    """What other packs set: the override, a patch of the context, a replace that adds to the text's attention."""
    from comfy.ldm.modules.attention import optimized_attention

    def override(func, *args, **kwargs):
        return func(*args, **kwargs) * 1.1

    def replace(q, k, v, extra_options):
        return optimized_attention(q, k, v, extra_options["n_heads"]) + 0.1 * q

    patched = model.clone()
    patched.model_options["transformer_options"]["optimized_attention_override"] = override
    patched.set_model_attn2_patch(lambda n, context, value, options: (n * 1.1, context * 0.9, value))
    patched.set_model_attn2_replace(replace, "middle", 0)
    patched.set_model_attn2_replace(replace, "output", 2, 0)
    return patched


def test_before_or_after_other_nodes_is_the_same(comfy):
    before = sample(others(place(FAMILY.model(), region())), *given())
    assert torch.equal(sample(place(others(FAMILY.model()), region()), *given()), before)
    assert not torch.equal(before, sample(others(FAMILY.model()), *given()))


def test_two_nodes_add_in_any_order(comfy):
    one, two = region("red dog"), region("cat", left(20, 20, 0.6), 0.4, 0.5)
    paint = dict(weight_function="paint_with_words")
    together = sample(place(FAMILY.model(), one, two), *given())
    stacked = sample(place(place(FAMILY.model(), one), two), *given())
    assert (together - stacked).abs().max() <= 1e-5 * together.abs().max()
    mixed = sample(place(place(FAMILY.model(), one), two, **paint), *given())
    swapped = sample(place(place(FAMILY.model(), two, **paint), one), *given())
    assert (mixed - swapped).abs().max() <= 1e-5 * mixed.abs().max()
    alone = sample(place(FAMILY.model(), one), *given())
    assert min((alone - together).abs().max(), (mixed - together).abs().max()) > 1e-4 * together.abs().max()


@pytest.mark.parametrize(
    "name",
    ["euler_ancestral", "heun", "dpm_2", "lms", "dpm_adaptive", "dpmpp_2s_ancestral", "dpmpp_2m_sde", "dpmpp_3m_sde"]
    + ["lcm", "res_multistep_cfg_pp", "sa_solver", "ddim", "uni_pc"],
)
def test_every_kind_of_sampler(comfy, name):
    import comfy.sample
    import comfy.samplers

    latent, (positive, negative) = FAMILY.latent(1, 8, 9), given()[1:]
    noise, sigmas = comfy.sample.prepare_noise(latent, 1), torch.tensor([3.0, 2.8, 2.6, 0.0])

    def run(model):
        chosen = (3.0, comfy.samplers.sampler_object(name), sigmas, positive, negative, latent)
        return comfy.sample.sample_custom(model, noise, *chosen, disable_pbar=True, seed=1)

    patched, plain = place(FAMILY.model(), region()), run(FAMILY.model())
    out = run(patched)
    assert out.isfinite().all() and torch.equal(run(patched), out)
    assert (out - plain).abs().max() > 1e-3 * plain.abs().max()
