"""Source 000's own run through SamplerCustom: 40 ddpm steps 780..0, 240, 220, 200 put back at 740, 720, 700.

Numbers from SOURCES 0.1 and 0.3, of SD1's schedule: k-space latents are z / sqrt(abar).
"""

import pytest
import torch
from pack.tests.patches.injecting import SD1, Watch, custom, half, inject, paint, picture

STEPS = torch.arange(780, -1, -20)
EDITS = {740: 240, 720: 220, 700: 200}
ROOT_ABAR = {740: 0.246648, 720: 0.266559, 700: 0.287264, 240: 0.830738, 220: 0.849883, 200: 0.868154}
WIDGETS = {"start": (999 - 740) / 999, "end": (999 - 700) / 999, "count": 3, "offset": 500 / 999}
ROUNDED = {"start": 0.259, "end": 0.299, "count": 3, "offset": 0.5}


def sigmas():
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    abar = (1 - betas).cumprod(0)
    return torch.cat([((1 - abar) / abar).sqrt()[STEPS], torch.zeros(1)]).float()


def painted(mask=None, widgets=WIDGETS):
    """-> (latent put back, {timestep: the state that the model saw there}, {the same without}, result)."""
    from comfy.samplers import sampler_object

    latent, watch, plain = picture(height=8, width=8), Watch(), Watch()
    patched, maps = inject(watch.on(SD1.model()), latent, mask, seed=3, **widgets)
    given = sigmas(), sampler_object("ddpm"), latent
    out = custom(patched, *given)
    custom(plain.on(SD1.model()), *given)
    seen, before = ({int(t): x for t, (_, x) in zip(STEPS, w.seen, strict=True)} for w in (watch, plain))
    assert len(maps.runs[0].masks) == 3 and out.isfinite().all()
    return latent, seen, before


def cached(latent, at):
    """sqrt(abar) z0 + sqrt(1 - abar) eps of the source at EDITS[at], in k-space at the noise level of `at`."""
    from comfy.sample import prepare_noise

    root, z0 = ROOT_ABAR[EDITS[at]], SD1.model().model.process_latent_in(latent)
    return (root * z0 + (1 - root**2) ** 0.5 * prepare_noise(latent, 3)) / ROOT_ABAR[at]


def test_the_schedule_is_the_sources(comfy):
    assert len(STEPS) == 40 and STEPS[[2, 3, 4]].tolist() == list(EDITS)
    assert STEPS[[27, 28, 29]].tolist() == list(EDITS.values())
    host = SD1.model().get_model_object("model_sampling").sigmas
    torch.testing.assert_close(sigmas()[:-1], host[STEPS], rtol=1e-5, atol=1e-6)
    for t, root in ROOT_ABAR.items():
        assert float((1 + host[t] ** 2) ** -0.5) == pytest.approx(root, abs=1e-6)


def test_the_cached_latents_are_the_sources(comfy):
    """G0b, and the k-space relation of 0.3: 3.368 z0 + 2.257 eps at 740."""
    from comfy.sample import prepare_noise

    latent, seen, _ = painted()
    for t in EDITS:
        torch.testing.assert_close(seen[t], cached(latent, t), rtol=2e-5, atol=2e-5)
    z0, eps = SD1.model().model.process_latent_in(latent), prepare_noise(latent, 3)
    torch.testing.assert_close(seen[740], 3.368 * z0 + 2.257 * eps, rtol=1e-3, atol=1e-3)


def test_under_the_mask_the_cache_and_elsewhere_the_state_bit_for_bit(comfy):
    """G0d: where(mask, C, z), at these three steps and at no other."""
    latent, seen, before = painted(half())
    whole = painted()[1]
    assert torch.equal(seen[740][..., 4:], before[740][..., 4:])
    for t in (780, 760):
        assert torch.equal(seen[t], before[t])
    for t in EDITS:
        assert torch.equal(seen[t][..., :4], whole[t][..., :4])
    assert all((seen[int(t)][..., :4] - whole[int(t)][..., :4]).abs().min() > 0 for t in (680, 340, 0))


def test_an_empty_mask_is_img2img(comfy):
    """G0f."""
    from comfy.samplers import sampler_object

    latent = picture(height=8, width=8)
    given = sigmas(), sampler_object("ddpm"), latent
    out = custom(inject(SD1.model(), latent, torch.zeros(1, 64, 64), **WIDGETS)[0], *given)
    assert torch.equal(out, custom(SD1.model(), *given))


def test_the_widgets_three_digits_meet_the_same_steps(comfy):
    """0.5 for 500 / 999 puts back what the source does to a part in 200."""
    latent, seen, before = painted(widgets=ROUNDED)
    for t in EDITS:
        assert (seen[t] - cached(latent, t)).abs().max() < 0.005 * seen[t].abs().max()
    assert torch.equal(seen[760], before[760])


def test_a_plain_ksampler_comes_within_one_timestep(comfy):
    """The help page's values: 40 steps of ddpm, ddim_uniform, denoise 0.8, which begins at 781."""
    latent, watch = picture(height=8, width=8), Watch()
    patched, maps = inject(watch.on(SD1.model()), latent, seed=3, **ROUNDED)
    paint(patched, latent=latent, steps=40, denoise=0.8, sampler="ddpm", scheduler="ddim_uniform")
    sampling = SD1.model().get_model_object("model_sampling")
    assert [round(float(sampling.timestep(torch.tensor(s)))) for s, _ in watch.seen] == (STEPS + 1).tolist()
    assert len(maps.runs[0].masks) == 3
    for place, (t, due) in enumerate(EDITS.items(), 2):
        assert (watch.seen[place][1] - cached(latent, t)).abs().max() < 0.02 * watch.seen[place][1].abs().max(), due


def test_cleaner_than_due_ends_at_the_clean_picture_and_never_gets_noisier(comfy):
    latent, watch = picture(height=8, width=8), Watch()
    levels = torch.tensor([9.0, 3.0, 1.0, 0.0])
    custom(inject(watch.on(SD1.model()), latent, offset=1.0)[0], levels)
    z0 = SD1.model().model.process_latent_in(latent)
    for sigma, x in watch.seen:
        torch.testing.assert_close(x, (sigma**2 + 1) ** 0.5 * z0, rtol=1e-5, atol=1e-5)
