"""Regions and capture in every family of models, against the attention that each really computes."""

import copy

import pytest
import torch
from pack.tests.attending import Mass, Own, Placed
from pack.tests.patches.placing import PROMPT, close, place, region
from pack.tests.tiny_models import FAMILIES, sample

FLOW = {"wan", "flux", "chroma", "sd3", "sd35", "qwen_image", "lumina2", "z_image"}
every_family = pytest.mark.parametrize("name", FAMILIES)


def half(height: int, width: int, batch: int = 1) -> torch.Tensor:
    """The left half for even items, the lower half for odd ones."""
    mask = torch.zeros(batch, height, width)
    mask[::2, :, : width // 2] = 1
    mask[1::2, height // 2 :] = 1
    return mask


def captured(model, phrases=("red dog", "blue cat"), **settings):
    from pack.patches.capture import CaptureSettings, capture

    return capture(model, CaptureSettings(phrases, **settings))


def masses(name: str, outside: float, steps: int = 1, **options) -> list[Mass]:
    """Of 'red dog' in the left half, for each strength."""
    family, found = FAMILIES[name], []
    latent, mask = family.latent(1, 18, 16), half(36, 32)
    for strength in (0.0, 0.25, 0.5, 1.0, 2.0):
        view = Mass(name, tuple(latent.shape[2:]), mask=mask)
        model = place(view.on(family.model()), region("red dog", mask, strength, outside if strength else 0.0))
        sample(model, latent, family.conditioning(), family.conditioning(), steps, 1.0, **options)
        found.append(view)
    return found


@every_family
def test_a_phrase_gets_more_attention_in_its_region_the_stronger_it_is(comfy, name):
    found = masses(name, 0.0)
    inside = [view.mean[0] for view in found]
    assert all(weak < strong for weak, strong in zip(inside, inside[1:], strict=False)), inside
    assert inside[0] < 0.2 and inside[3] > 0.8
    assert inside[1] > 2 * inside[0]
    first_outside = [view.seen[0][1] for view in found]  # later calls see what earlier ones changed
    assert max(first_outside) - min(first_outside) < 1e-6


@every_family
def test_outside_pushes_a_phrase_out_everywhere_else(comfy, name):
    plain, pushed = masses(name, 0.0), masses(name, 0.5)
    for before, after in zip(plain[1:], pushed[1:], strict=True):
        assert after.mean[1] < 0.1 * before.mean[1]
        assert after.mean[0] == pytest.approx(before.mean[0], rel=0.01)


@every_family
@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_neutral_and_capture_are_bit_identical(comfy, name, cfg):
    family = FAMILIES[name]
    latent, positive, negative = family.latent(2, 17, 13), family.conditioning(), family.conditioning("blurry")
    plain = sample(family.model(), latent, positive, negative, cfg=cfg)
    neutral = place(family.model(), region("red dog", half(34, 26), 0.0, 0.0))
    assert torch.equal(sample(neutral, latent, positive, negative, cfg=cfg), plain)
    reading, maps = captured(family.model(), self_attention=True)
    assert torch.equal(sample(reading, latent, positive, negative, cfg=cfg), plain)
    assert maps.runs[0].samples.equal(plain)


@every_family
@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_regions_equal_an_explicit_mask(comfy, name, cfg):
    """Odd sizes, a batch of two with a mask each, two overlapping regions."""
    family = FAMILIES[name]
    latent, positive, negative = family.latent(2, 17, 13), family.conditioning(), family.conditioning("red blurry dog")
    masks = half(34, 26, 2)
    view = Placed(name, tuple(latent.shape[2:]), flow=name in FLOW)
    view.regions = ((masks, (2, 3), 0.4, 0.1), (masks[:1] * 0.6, (6, 7), 0.2, 0.0))
    plain = sample(family.model(), latent, positive, negative, cfg=cfg)
    explicit = sample(view.on(family.model()), latent, positive, negative, cfg=cfg)
    regions = region("red dog", masks, 0.4, 0.1), region("blue cat", masks[:1] * 0.6, 0.2, 0.0)
    assert close(sample(place(family.model(), *regions), latent, positive, negative, cfg=cfg), explicit, plain)


@every_family
@pytest.mark.parametrize("rows", [(154, 0), (0, 154)], ids=["long positive", "long negative"])
def test_prompts_of_other_lengths(comfy, name, rows):
    family, latent = FAMILIES[name], FAMILIES[name].latent(1, 18, 16)
    positive, negative = family.conditioning(PROMPT, rows[0] or None), family.conditioning("blurry", rows[1] or None)
    mask = half(36, 32)
    view = Placed(name, tuple(latent.shape[2:]), rows[0], regions=((mask, (2, 3), 0.4, 0.1),), flow=name in FLOW)
    plain = sample(family.model(), latent, positive, negative)
    explicit = sample(view.on(family.model()), latent, positive, negative)
    placed = place(family.model(), region("red dog", mask, 0.4, 0.1))
    assert close(sample(placed, latent, positive, negative), explicit, plain)


@every_family
def test_capture_reads_the_probabilities_among_the_texts_own_tokens(comfy, name):
    family = FAMILIES[name]
    latent, positive = family.latent(2, 17, 13, frames=3), family.conditioning()
    view = Own(name, tuple(latent.shape[2:]), words=((2, 3), (6, 7)))
    reading, maps = captured(view.on(family.model()))
    sample(reading, latent, positive, positive, 1, 1.0)
    run = maps.runs[0]
    per_block = 2 if name == "sdxl" else 1
    seen = [sum(view.seen[i : i + per_block]) / per_block for i in range(0, len(view.seen), per_block)]
    assert run.words[:2] == ("red dog", "blue cat")
    assert len(seen) == len(run.layers) > 1
    for (block, layer), expected in zip(run.layers.items(), seen, strict=True):
        assert layer.shape[0] == 2 and layer.shape[2:] == expected.shape[2:], block
        assert torch.allclose(layer[:, :2].double(), expected, rtol=1e-5, atol=1e-7), block
        assert layer[:, 0].std() > 0


@every_family
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision(comfy, name, dtype):
    family = FAMILIES[name]
    model, latent, mask = halved(family.model(), dtype), family.latent(1, 18, 16), half(36, 32)
    positive = family.conditioning()
    plain = sample(model, latent, positive, positive, 1)
    reading, maps = captured(model)
    assert torch.equal(sample(reading, latent, positive, positive, 1), plain)
    assert all(layer.dtype == torch.float32 and layer.isfinite().all() for layer in maps.runs[0].layers.values())
    view = Mass(name, tuple(latent.shape[2:]), mask=mask)
    pictures = sample(place(view.on(model), region("red dog", mask, 1.0, 0.5)), latent, positive, positive, 1, 1.0)
    assert pictures.isfinite().all()
    assert view.dtypes == {dtype}
    assert view.mean[0] > 0.8 > 0.01 > view.mean[1]


def halved(model, dtype):
    """The same model computing in half precision."""
    import comfy.model_patcher

    base = copy.copy(model.model)
    base._modules = dict(model.model._modules)
    base.diffusion_model = copy.deepcopy(model.model.diffusion_model).to(dtype)
    base.diffusion_model.dtype = dtype
    if hasattr(base.diffusion_model, "patch_embedding"):  # Wan's, which the host keeps in float32
        base.diffusion_model.patch_embedding.float()
    return comfy.model_patcher.ModelPatcher(base, model.load_device, model.offload_device)
