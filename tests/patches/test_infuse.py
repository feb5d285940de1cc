"""InfusionBias on real blocks equals two explicit passes, at every kind of site."""

import pytest
import torch
from pack.tests.noise import rms, within
from pack.tests.patches.infusing import ALL, FAMILY, KINDS, SMALL, Explicit, biased, close, draw, pictures, text
from pack.tests.tiny_models import FAMILIES, sample


def same(explicit, family=FAMILY, sites=None, how=None, **settings):
    """Ours equals the reference, in one draw."""
    model, how = family.model(), how or {}
    ours = draw(biased(model, explicit.samples, sites or explicit.sites, explicit.mask, **settings), family, **how)
    assert close(ours, draw(explicit.on(model), family, **how), draw(model, family, **how))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_site(comfy, kind):
    same(Explicit(pictures(2), KINDS[kind], (text(),)))


@pytest.mark.parametrize("name", ["sd15", "sdxl", "sd2_v", "sd1"])
def test_every_unet_family_at_all_sites(comfy, name):
    family = FAMILIES[name]
    sites = ALL if name == "sd15" else SMALL
    same(Explicit(pictures(), sites, (text(family),)), family)


def test_no_site_is_left_out(comfy):
    """Every single one of sd15's 37 changes the picture; together they equal the reference."""
    model = FAMILY.model()
    sites = {f"{kind}.{i}": 0.1 for kind in ("in", "out", "skip") for i in range(12)} | {"mid.0": 0.1}
    plain = draw(model, steps=1)
    assert not [site for site in sites if torch.equal(draw(biased(model, pictures(), {site: 0.2}), steps=1), plain)]
    same(Explicit(pictures(), sites, (text(),)))


def blended(h, g, w):
    return h + w * (g - h)


def normalised(h, g, w):
    """AdaIN by float64 statistics, written out."""
    mean, spread = h.double().mean((2, 3), keepdim=True), h.double().var((2, 3), correction=0, keepdim=True).sqrt()
    wanted, size = g.double().mean((2, 3), keepdim=True), g.double().var((2, 3), correction=0, keepdim=True).sqrt()
    return h + w * ((h - mean) / (spread + 1e-5) * size + wanted - h).to(h)


@pytest.mark.parametrize(("mix", "formula"), [("blend", blended), ("adain", normalised)])
def test_mixes(comfy, mix, formula):
    same(Explicit(pictures(2), ALL, (text(),), formula), mix=mix)


def test_weights_of_images(comfy):
    same(Explicit(pictures(3), ALL, (text(),), shares=(1.0, -0.5, 2.0)), images=(1.0, -0.5, 2.0))


@pytest.mark.parametrize("name", ["negative", "each half"])
def test_text_of_the_recorded_pass(comfy, name):
    both = text(), text(prompt="blurry")
    same(Explicit(pictures(2), ALL, both if name == "each half" else both[1:]), text=name)


def test_noised_input_shares_one_noise(comfy):
    import comfy.sample

    noise = comfy.sample.prepare_noise(torch.zeros(1, 4, 16, 16), 8)
    same(Explicit(pictures(2), ALL, (text(),), noise=noise), input="noised", seed=8)


def test_a_mask_per_picture_of_a_batch_at_an_odd_size(comfy):
    mask = torch.zeros(3, 136, 104)
    mask[0, :70], mask[1, :, 40:] = 1.0, 0.5
    explicit = Explicit(pictures(2, 17, 13), ALL, (text(),), mask=mask)
    same(explicit, how={"size": (17, 13), "batch": 3})
    plain = draw(FAMILY.model(), size=(17, 13), batch=3)
    ours = draw(biased(FAMILY.model(), explicit.samples, ALL, mask), size=(17, 13), batch=3)
    torch.testing.assert_close(ours[2], plain[2], rtol=0, atol=1e-5 * float(plain.abs().max()))


@pytest.mark.parametrize("size", [(17, 13), (9, 24)])
def test_other_sizes_in_a_batch(comfy, size):
    same(Explicit(pictures(1, *size), ALL, (text(),)), how={"size": size, "batch": 2})


@pytest.mark.parametrize("how", [{"cfg": 1.0}, {"sampler": "heun"}, {"sampler": "dpm_2", "steps": 3}])
def test_cfg_1_and_samplers_that_call_twice_a_step(comfy, how):
    same(Explicit(pictures(), ALL, (text(),)), how=how)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(comfy, dtype):
    """As close to the reference in float32 as the model itself is to what it is in float32."""
    from pack.tests import tiny_unet

    family, samples, half = FAMILIES["sd1"], pictures(3), tiny_unet.sd1_unet.__wrapped__()
    half.model.diffusion_model.to(dtype)
    half.model.diffusion_model.dtype = dtype
    exact, explicit = family.model(), Explicit(samples, SMALL, (text(family),))
    draws = (draw(m, family, steps=1) for m in (half, exact, explicit.on(exact), biased(half, samples, SMALL)))
    plain, plain_exact, expected, ours = draws
    noise = rms(plain - plain_exact)
    assert within(ours, expected, noise) and not within(plain, expected, noise)


def test_prompts_of_other_lengths(comfy):
    """154 rows against 77: the host repeats the shorter one, or makes two calls."""
    model, latent = FAMILY.model(), FAMILY.latent()
    for positive, negative in (("a red dog", "blurry"), ("blurry", "a red dog")):
        texts = FAMILY.conditioning(positive, 154), FAMILY.conditioning(negative, 77)
        explicit = Explicit(pictures(), ALL, tuple(t[0][0] for t in texts)).on(model)
        ours = sample(biased(model, pictures(), text="each half"), latent, *texts)
        assert close(ours, sample(explicit, latent, *texts), sample(model, latent, *texts))
