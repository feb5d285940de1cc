"""LatentCacheInject in every kind of run of the host, beside its masks, and where it is off or refused."""

import pytest
import torch
from pack.tests.patches.beside import state
from pack.tests.patches.injecting import SD1, Watch, cached, custom, half, inject, paint, picture
from pack.tests.tiny_models import FAMILIES

LATENT = {"height": 8, "width": 8}


def same(watch, latent, steps):
    """The indices of the calls in which the model saw the cached latent, all of it."""
    return [i for i, (s, x) in enumerate(watch.seen[:steps]) if torch.equal(x, cached(SD1.model(), latent, s))]


@pytest.mark.parametrize(("steps", "cut", "scheduler"), [(7, 3, "karras"), (7, 5, "normal"), (6, 1, "exponential")])
@pytest.mark.parametrize("count", [1, 3, 5, 16])
def test_two_advanced_samplers_serve_each_point_once(comfy, steps, cut, scheduler, count):
    from nodes import KSamplerAdvanced

    def run(model, latent, start, end):
        texts = SD1.conditioning(), SD1.conditioning("blurry")
        noise, leftover = ("enable", "disable")[start > 0], ("enable", "disable")[end == steps]
        given = (model, noise, 1, steps, 3.0, "euler", scheduler, *texts, {"samples": latent}, start, end, leftover)
        return KSamplerAdvanced().sample(*given)[0]["samples"]

    latent, whole, parts = picture(**LATENT), Watch(), Watch()
    settings = {"start": 0.05, "end": 0.9, "count": count}
    once = run(inject(whole.on(SD1.model()), latent, **settings)[0], SD1.latent(1, 8, 8), 0, steps)
    patched, maps = inject(parts.on(SD1.model()), latent, **settings)
    middle = run(patched, SD1.latent(1, 8, 8), 0, cut)
    twice = run(patched, middle, cut, steps)
    assert same(whole, latent, steps) == same(parts, latent, steps) != []
    assert sum(mask.max() for one in maps.runs for mask in one.masks) == len(same(whole, latent, steps))
    torch.testing.assert_close(twice, once, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("denoise", [0.3, 0.7, 1.0])
def test_denoise_below_1_serves_the_points_of_its_own_range(comfy, denoise):
    latent, watch = picture(**LATENT), Watch()
    patched, maps = inject(watch.on(SD1.model()), latent, start=0.9 * (1 - denoise))
    paint(patched, steps=5, latent=latent, denoise=denoise, scheduler="simple")
    assert len(watch.seen) == 5 and same(watch, latent, 5) == list(range(5)) and len(maps.runs[0].masks) == 5


def test_samplers_of_custom_graphs(comfy):
    from comfy_extras.nodes_custom_sampler import CFGGuider, RandomNoise, SamplerCustomAdvanced, SamplerDPMPP_SDE

    latent, watch = picture(**LATENT), Watch()
    patched, _ = inject(watch.on(SD1.model()), latent, half())
    guider = CFGGuider.execute(patched, SD1.conditioning(), SD1.conditioning("blurry"), 3.0).result[0]
    sampler = SamplerDPMPP_SDE.execute(0.5, 1.0, 0.5, "cpu").result[0]
    sigmas = torch.tensor([14.6, 6.0, 2.0, 0.6, 0.0])
    given = (RandomNoise.execute(1).result[0], guider, sampler, sigmas, {"samples": SD1.latent(1, 8, 8)})
    outs = [SamplerCustomAdvanced.execute(*given).result[0]["samples"] for _ in range(2)]
    assert torch.equal(*outs)
    firsts = {sigma: x for sigma, x in reversed(watch.seen)}
    for sigma in sigmas[:-1].tolist():
        assert torch.equal(firsts[sigma][..., :4], cached(SD1.model(), latent, sigma)[..., :4])


@pytest.mark.parametrize("gradual", [False, True])
def test_beside_a_noise_mask(comfy, gradual):
    """The model sees the picture put back where the noise mask lets it paint, and the host's own latent elsewhere."""
    from comfy_extras.nodes_differential_diffusion import DifferentialDiffusion

    latent, other, watch = picture(**LATENT), picture(**LATENT).flip(2), Watch()
    model = DifferentialDiffusion.execute(SD1.model()).result[0] if gradual else SD1.model()
    patched, _ = inject(watch.on(model), other)
    top = torch.zeros(1, 64, 64)
    top[:, :32] = 1.0
    sigmas = torch.tensor([9.0, 3.0, 1.0, 0.0])
    out = custom(patched, sigmas, latent=latent, noise_mask=top)
    for sigma, x in watch.seen:
        assert torch.equal(x[:, :, :4], cached(SD1.model(), other, sigma)[:, :, :4])
        torch.testing.assert_close(x[:, :, 4:], cached(SD1.model(), latent, sigma, seed=1)[:, :, 4:])
    torch.testing.assert_close(out[:, :, 4:], latent[:, :, 4:], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m", "uni_pc", "dpmpp_sde"])
@pytest.mark.parametrize(
    ("mask", "settings", "denoise"),
    [
        (None, {"strength": 0.0}, 1.0),
        (torch.zeros(1, 64, 64), {}, 1.0),
        (None, {"start": 0.0, "end": 0.3}, 0.5),  # all points lie before the run
    ],
)
def test_off_is_exact(comfy, sampler, mask, settings, denoise):
    options = {"sampler": sampler, "scheduler": "simple", "denoise": denoise, "latent": picture(**LATENT).flip(1)}
    patched, maps = inject(SD1.model(), picture(**LATENT), mask, **settings)
    assert torch.equal(paint(patched, **options), paint(SD1.model(), **options))
    assert torch.equal(maps.runs[0].masks, torch.zeros(1, 8, 8))


def test_nothing_is_left_behind_also_after_an_interrupt(comfy):
    from comfy.model_management import InterruptProcessingException
    from comfy.samplers import sampler_object

    def stop(i, *_):
        if i == 1:
            raise InterruptProcessingException

    model = SD1.model().clone()
    before = state(model)
    patched, maps = inject(model, picture(**LATENT), half())
    assert state(model) == before
    attached, sampler = state(patched), sampler_object("uni_pc")
    kept = dict(vars(sampler))
    with pytest.raises(InterruptProcessingException):
        paint(patched, steps=4, callback=stop)
    assert maps.runs == []
    custom(patched, torch.tensor([9.0, 3.0, 1.0, 0.0]), sampler)
    assert len(maps.runs) == 1 and state(model) == before and state(patched) == attached and vars(sampler) == kept


@pytest.mark.parametrize(
    ("name", "cached_size", "sampled", "masks", "message"),
    [
        ("sd1", (1, 4, 8, 9), (1, 4, 8, 8), 0, r"is \[1, 4, 8, 9\] \(72x64 pixels\) but \[1, 4, 8, 8\] \(64x64 pi"),
        ("wan", (1, 16, 1, 8, 8), (1, 16, 3, 8, 8), 0, r"is \[1, 16, 1, 8, 8\] .* but \[1, 16, 3, 8, 8\]"),
        ("sd1", (2, 4, 8, 8), (3, 4, 8, 8), 0, r"is \[2, 4, 8, 8\] .* but \[3, 4, 8, 8\]"),
        ("sd1", (1, 4, 8, 8), (3, 4, 8, 8), 2, "mask holds 2 pictures, but 3 are being sampled"),
    ],
)
def test_sizes_that_do_not_fit_are_told_before_the_first_step(comfy, name, cached_size, sampled, masks, message):
    family, watch = FAMILIES[name], Watch()
    mask = half(masks) if masks else None
    patched, maps = inject(watch.on(family.model()), torch.ones(cached_size), mask)
    with pytest.raises(ValueError, match=message) as error:
        paint(patched, family, torch.zeros(sampled))
    assert "\n" not in str(error.value) and watch.seen == [] and maps.runs == []


def test_a_picture_for_a_video_model_of_one_frame(comfy):
    family, watch = FAMILIES["wan"], Watch()
    latent = picture(family, **LATENT)
    paint(inject(watch.on(family.model()), latent[:, :, 0])[0], family, family.latent(1, 8, 8))
    for sigma, x in watch.seen:
        assert torch.equal(x, cached(family.model(), latent, sigma))


def test_what_cannot_work_is_refused_at_once(comfy):
    latent = picture(**LATENT)
    with pytest.raises(ValueError, match="sound or shapes, not a picture"):
        inject(SD1.model(), latent[0])
    with pytest.raises(ValueError, match="has 8 channels, but those of this model have 4"):
        inject(SD1.model(), latent.repeat(1, 2, 1, 1))
