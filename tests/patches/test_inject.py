"""LatentCacheInject on the host: the state becomes the noised picture, exactly, for every kind of model and sampler."""

import pytest
import torch
from pack.tests.noise import noise_of, within
from pack.tests.patches.injecting import SD1, Watch, cached, half, inject, paint, picture
from pack.tests.tiny_models import FAMILIES


@pytest.mark.parametrize("name", ["sd1", "sd2_v", "sdxl", "flux", "sd3", "wan", "qwen_image", "z_image"])
def test_the_state_is_the_noised_picture_at_every_level(comfy, name):
    family, watch = FAMILIES[name], Watch()
    latent = picture(family, 2, height=9, width=6)
    patched, maps = inject(watch.on(family.model()), latent, seed=7)
    out = paint(patched, family, family.latent(2, 9, 6), steps=3)
    assert len(watch.seen) == 3 and out.isfinite().all() and out.shape == latent.shape
    for sigma, x in watch.seen:
        assert torch.equal(x, cached(family.model(), latent, sigma, 7))
    assert maps.runs[0].masks.shape == (6, 9, 6) and (maps.runs[0].masks == 1).all()


@pytest.mark.parametrize("name", ["sd1", "flux", "wan"])
def test_a_mask_keeps_the_rest_of_the_state(comfy, name):
    family = FAMILIES[name]
    latent, mask = picture(family, 2), half(2, 128, 128)
    plain, watch = Watch(), Watch()
    paint(plain.on(family.model()), family, family.latent(2), steps=2)
    patched, maps = inject(watch.on(family.model()), latent, mask, count=1)
    paint(patched, family, family.latent(2), steps=2)
    (sigma, x), (_, before) = watch.seen[0], plain.seen[0]
    due = cached(family.model(), latent, sigma)
    for i, width in enumerate((8, 6)):
        assert torch.equal(x[i, ..., :width], due[i, ..., :width])
        assert torch.equal(x[i, ..., width:], before[i, ..., width:])
    assert maps.runs[0].masks.shape == (2, 16, 16) and maps.runs[0].masks.sum((1, 2)).tolist() == [128, 96]


def test_soft_masks_strength_and_areas_mix(comfy):
    latent, plain, watch = picture(height=8, width=8), Watch(), Watch()
    mask = torch.zeros(1, 64, 64)
    mask[:, :8, :4], mask[:, :8, 16:24] = 1.0, 0.3  # half of the first cell, all of the third
    paint(plain.on(SD1.model()), steps=2)
    paint(inject(watch.on(SD1.model()), latent, mask, count=1, strength=0.8)[0], steps=2)
    (sigma, x), (_, before) = watch.seen[0], plain.seen[0]
    weight = torch.zeros(8, 8)
    weight[0, 0], weight[0, 2] = 0.4, 0.24
    torch.testing.assert_close(x, before + weight * (cached(SD1.model(), latent, sigma) - before))


def test_curves_over_the_injections(comfy):
    mask = torch.tensor([[1.0, 0.4]])[None]
    fading = inject(SD1.model(), picture(height=8, width=8), mask, count=4, end=0.75, curve="fade out")
    widening = inject(SD1.model(), picture(height=8, width=8), mask, count=4, end=0.75, curve="widen")
    for patched, _ in (fading, widening):
        paint(patched, steps=4, scheduler="simple")
    first, last = fading[1].runs[0].masks[:, 0, [0, 7]], widening[1].runs[0].masks[:, 0, [0, 7]]
    torch.testing.assert_close(first, torch.tensor([[1.0, 0.4], [0.75, 0.3], [0.5, 0.2], [0.25, 0.1]]))
    torch.testing.assert_close(last, torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.4], [1.0, 0.4]]))


def test_noise_one_for_all_or_one_per_picture(comfy):
    latent = picture(batch=1, height=8, width=8).repeat(2, 1, 1, 1)
    for per_item in (False, True):
        watch = Watch()
        paint(inject(watch.on(SD1.model()), latent, noise_per_item=per_item)[0], latent=SD1.latent(2, 8, 8))
        for sigma, x in watch.seen:
            assert torch.equal(x, cached(SD1.model(), latent, sigma, per_item=per_item))
            assert torch.equal(x[0], x[1]) != per_item


def test_one_picture_and_one_mask_serve_a_batch(comfy):
    latent, mask = picture(height=8, width=8), half()
    out = paint(inject(SD1.model(), latent, mask)[0], latent=SD1.latent(3, 8, 8))
    each = paint(inject(SD1.model(), latent.repeat(3, 1, 1, 1), mask.repeat(3, 1, 1))[0], latent=SD1.latent(3, 8, 8))
    assert torch.equal(out, each)


def test_an_item_does_not_depend_on_its_neighbours(comfy):
    latent, mask = picture(batch=2, height=8, width=8), half(2)
    both = paint(inject(SD1.model(), latent, mask)[0], latent=SD1.latent(2, 8, 8), cfg=1.0)
    alone = paint(inject(SD1.model(), latent[:1], mask[:1])[0], cfg=1.0)
    assert within(both[:1], alone, noise_of(lambda: paint(SD1.model(), latent=SD1.latent(2, 8, 8), cfg=1.0)))


@pytest.mark.parametrize("first", [True, False])
def test_two_of_them_in_both_orders(comfy, first):
    """One puts the left half back, the other the right one, at steps in common and at steps of their own."""
    left, right = half(), 1 - half()
    one, two, watch = picture(height=8, width=8), picture(height=8, width=8).flip(1), Watch()
    nodes = [(one, left, {"count": 2, "end": 0.5}), (two, right, {"start": 0.25, "end": 0.5, "count": 2})]
    model = watch.on(SD1.model())
    for latent, mask, settings in nodes if first else nodes[::-1]:
        model = inject(model, latent, mask, **settings)[0]
    paint(model, steps=4, scheduler="simple")
    for step, (a, b) in enumerate([(True, False), (False, True), (True, True), (False, False)]):
        sigma, x = watch.seen[step]
        assert torch.equal(x[..., :4], cached(SD1.model(), one, sigma)[..., :4]) == a
        assert torch.equal(x[..., 4:], cached(SD1.model(), two, sigma)[..., 4:]) == b


def test_same_twice_and_other_noise_by_seed(comfy):
    latent = picture(height=8, width=8)
    patched, maps = inject(SD1.model(), latent, half())
    outs = [paint(patched, sampler=name) for name in ("dpmpp_sde", "dpmpp_sde", "euler_ancestral", "euler_ancestral")]
    assert torch.equal(*outs[:2]) and torch.equal(*outs[2:]) and len(maps.runs) == 4
    other = paint(inject(SD1.model(), latent, half(), seed=1)[0], sampler="dpmpp_sde")
    assert not torch.equal(other, outs[0])
    assert maps.fit(outs[2], type(maps.runs[0])) is maps.runs[3]


@pytest.mark.parametrize("cfg", [1.0, 7.0])
def test_at_any_cfg_the_whole_picture_stays_to_the_end(comfy, cfg):
    """The last injection is followed by one step, whose result is the model's view of the picture itself."""
    latent = picture(height=8, width=8)
    a = paint(inject(SD1.model(), latent, count=16)[0], steps=3, cfg=cfg)
    b = paint(inject(SD1.model(), latent, start=1.0, count=1)[0], steps=3, cfg=cfg)
    assert torch.equal(a, b)
