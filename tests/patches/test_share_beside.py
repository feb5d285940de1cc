"""The mix 'share' beside other nodes, in both orders: what they do stays, and the recorded pictures see none of it."""

import pytest
import torch
from pack.tests import tiny_adapter
from pack.tests.patches.infusing import FAMILY, close, draw, pictures
from pack.tests.patches.sharing import ShareExplicit, shared

ADAPTERS = {"double": tiny_adapter.double, "real": tiny_adapter.real}


@pytest.fixture(params=ADAPTERS)
def adapter(request, comfy):
    if request.param == "real":
        tiny_adapter.real_pack()
    return ADAPTERS[request.param]


def test_what_ip_adapter_adds_stays(adapter):
    model, samples = FAMILY.model(), pictures(2)
    alone = adapter(model)
    ours = draw(shared(alone, samples))
    assert close(ours, draw(ShareExplicit(samples).on(alone)), draw(alone), 2e-5)
    assert torch.equal(draw(adapter(shared(model, samples))), ours)
    assert not close(ours, draw(shared(model, samples)), draw(model))
    assert torch.equal(draw(shared(alone, samples, weight=0.0)), draw(alone))


def test_regions_act_as_they_do_alone(comfy):
    from pack.attention.regions import Region
    from pack.patches.regions import RegionSettings, place_regions

    mask = torch.zeros(1, 16, 16)
    mask[:, :8] = 1
    regions, model, samples = (Region("red dog", mask, 1.0),), FAMILY.model(), pictures()
    placed = place_regions(model, regions, RegionSettings())
    ours = draw(shared(placed, samples))
    assert close(ours, draw(ShareExplicit(samples).on(placed)), draw(placed), 2e-5)
    assert torch.equal(draw(place_regions(shared(model, samples), regions, RegionSettings())), ours)


def test_features_of_the_same_node_are_of_the_plain_model(comfy):
    from pack.tests.patches.infusing import biased

    model, samples = FAMILY.model(), pictures()
    both = draw(biased(shared(model, samples), samples, {"mid.0": 0.5}))
    assert torch.equal(both, draw(shared(biased(model, samples, {"mid.0": 0.5}), samples)))
    assert not torch.equal(both, draw(shared(model, samples)))


def heeding(func, *args, **kwargs):
    return func(*args, **kwargs)


def deaf(func, *args, mask=None, **kwargs):
    """Takes no mask, as some fast kernels."""
    return func(*args, **kwargs)


@pytest.mark.parametrize("theirs", [heeding, deaf])
def test_attention_that_another_node_chose(comfy, theirs):
    model, samples = FAMILY.model(), pictures()
    chosen = model.clone()
    chosen.model_options["transformer_options"]["optimized_attention_override"] = theirs
    assert close(draw(shared(chosen, samples)), draw(shared(model, samples)), draw(model), 1e-5)


def test_a_block_that_another_node_replaced_is_its_own(comfy):
    """The others share."""

    def theirs(q, k, v, extra_options):
        return v

    model, samples = FAMILY.model().clone(), pictures()
    model.set_model_attn1_replace(theirs, "middle", 0)
    ours, plain = draw(shared(model, samples)), draw(model)
    assert not torch.equal(ours, plain)
    assert torch.equal(draw(shared(model, samples, sites="in, out")), ours)


def test_a_prompt_with_an_area_looks_at_that_part(comfy):
    """What lies outside of it in the pictures to follow, and in their mask, changes nothing."""
    from pack.tests.tiny_models import sample

    def paint(samples, **masks):
        positive = [[text, {**options, "area": (8, 16, 4, 0)}] for text, options in FAMILY.conditioning()]
        return sample(shared(FAMILY.model(), samples, **masks), FAMILY.latent(), positive, positive)

    samples, mask = pictures(), torch.ones(1, 128, 128)
    other, outside = samples.clone(), mask.clone()
    other[:, :, :4], other[:, :, 12:], outside[:, :32], outside[:, 96:] = 0.5, -0.5, 0, 0
    assert torch.equal(paint(samples), paint(other))
    assert not torch.equal(paint(samples), paint(samples.flip(2)))
    assert torch.equal(paint(samples, image_mask=mask), paint(samples, image_mask=outside))


@pytest.mark.parametrize("align", [False, True])
def test_a_prompt_with_an_area_in_which_nothing_may_be_looked_at(comfy, align):
    """It is as without the pictures; the other prompt is not."""
    from pack.tests.tiny_models import sample

    def paint(model):
        whole, place = FAMILY.conditioning(), FAMILY.conditioning("a green beach")
        areas = [[text, {**options, "area": (16, 8, 0, x)}] for x, [[text, options]] in ((8, whole), (0, place))]
        return sample(model, FAMILY.latent(), areas, whole, steps=1, cfg=1.0)

    left = torch.zeros(1, 128, 128)
    left[:, :, :48] = 1
    ours, plain = paint(shared(FAMILY.model(), pictures(), image_mask=left, align=align)), paint(FAMILY.model())
    there, elsewhere = (
        (ours - plain)[..., part].abs().max() / plain.abs().max() for part in (slice(8), slice(8, None))
    )
    assert elsewhere < 1e-6 and there > 1e-4
