"""InfusionBias beside others, before and behind them: they act on the picture, never on the biasing pictures."""

import pytest
import torch
from pack.tests import tiny_adapter, tiny_control
from pack.tests.patches import test_beside_conditioning as conditionings
from pack.tests.patches.beside import SD1, state, watch
from pack.tests.patches.infusing import ALL, SMALL, Explicit, biased, close, draw, pictures, text
from pack.tests.patches.placing import place, region
from pack.tests.patches.test_beside_nodes import CACHES, NODES, extra
from pack.tests.tiny_models import FAMILIES, sample


def small(model):
    return draw(model, SD1)


def agrees(node, paint=small, explicit=None, family=SD1, sites=SMALL, **settings):
    """In both orders the explicit reference on the model that the node made."""
    explicit = explicit or Explicit(pictures(2), sites, (text(family),))
    model = family.model()
    alone = node(model)
    first, last = node(biased(model, explicit.samples, sites, **settings)), biased(alone, explicit.samples, sites)
    before = state(model), state(alone), state(last)
    ours, plain = paint(last), paint(alone)
    assert close(ours, paint(explicit.on(alone)), plain)
    assert torch.equal(paint(first), ours)
    assert torch.equal(paint(last), ours), "the second run differs"
    assert (state(model), state(alone), state(last)) == before


def same(model):
    return model.clone()


@pytest.mark.parametrize("name", NODES)
def test_a_node_that_patches_the_model(comfy, name):
    agrees(NODES[name])


@pytest.mark.parametrize("name", CACHES)
def test_a_node_that_skips_steps(comfy, name):
    """The biasing pictures are never taken from its cache, nor put into it."""
    agrees(CACHES[name], lambda model: draw(model, SD1, steps=5))


def test_ip_adapter(comfy):
    family = FAMILIES["sd15"]
    agrees(lambda model: tiny_adapter.double(model), lambda m: draw(m, family), family=family, sites=ALL)


def test_regions(comfy):
    agrees(lambda model: place(model, region()))
    agrees(lambda model: place(model, region(), apply_to="both"))


@pytest.mark.parametrize("ours_first", [True, False])
def test_attention_capture_reads_the_picture_alone(comfy, ours_first):
    model, samples = SD1.model(), pictures(2)
    watched, maps = watch(biased(model, samples, SMALL) if ours_first else model)
    ours = small(watched if ours_first else biased(watched, samples, SMALL))
    reference, expected = watch(Explicit(samples, SMALL, (text(SD1),)).on(model))
    assert close(ours, small(reference), small(model))
    assert len(maps.runs) == 1 and maps.runs[0].layers.keys() == expected.runs[0].layers.keys()
    for block, layer in expected.runs[0].layers.items():
        torch.testing.assert_close(maps.runs[0].layers[block], layer, rtol=1e-3, atol=1e-6)


NETS = [conditionings.control_advanced, conditionings.control_for_part_of_the_steps, conditionings.control_to_uncond]


@pytest.mark.parametrize("change", [*NETS, conditionings.hooks_on_both, conditionings.gligen])
def test_what_a_conditioning_carries(comfy, change):
    if change is conditionings.hooks_on_both:  # LoRA hooks are in the weights, for both passes
        assert tiny_control.lora_hooks(SD1.model())
    agrees(same, conditionings.draw_with(change))


@pytest.mark.parametrize("guider", ["basic", "classifier_free", "dual", "perpendicular"])
def test_guiders_of_the_custom_sampler(comfy, guider):
    import comfy.samplers
    from comfy_extras.nodes_custom_sampler import Noise_RandomNoise, SamplerCustomAdvanced

    def paint(model):
        sampler, sigmas = comfy.samplers.sampler_object("dpmpp_2m"), torch.tensor([9.0, 3.0, 1.0, 0.0])
        made = getattr(conditionings, guider)(model).result[0]
        given = Noise_RandomNoise(1), made, sampler, sigmas, {"samples": SD1.latent()}
        return SamplerCustomAdvanced.execute(*given).result[0]["samples"]

    words = text(SD1, "a beach") if guider == "dual" else text(SD1)
    agrees(same, paint, Explicit(pictures(2), SMALL, (words,)))


@pytest.mark.parametrize("soft", [True, False])
def test_inpainting_with_a_noise_mask(comfy, soft):
    mask = torch.linspace(0, 1, 16).repeat(1, 1, 16, 1) if soft else torch.ones(1, 1, 16, 16).tril()
    latent = pictures(seed=9)

    def paint(model):
        return sample(model, latent, SD1.conditioning(), SD1.conditioning("blurry"), noise_mask=mask)

    agrees(same, paint)


def area(conditioning: list, y: int, x: int) -> list:
    """Half of the picture's height and width, from (y, x) in cells."""
    import nodes

    return nodes.ConditioningSetArea().append(conditioning, 64, 64, 8 * x, 8 * y, 1.0)[0]


@pytest.mark.parametrize("corner", [(0, 0), (4, 8)])
def test_an_area_sees_its_part_of_the_pictures(comfy, corner):
    def paint(model):
        positive = SD1.conditioning() + area(SD1.conditioning(), *corner)
        return sample(model, SD1.latent(), positive, SD1.conditioning("blurry"))

    agrees(same, paint, Explicit(pictures(2), SMALL, (text(SD1),), corner=corner))


def test_a_mask_is_cut_to_the_area(comfy):
    """At CFG 1 the only call is the area's."""
    inside, outside = torch.zeros(1, 128, 128), torch.ones(1, 128, 128)
    inside[:, 32:96, 64:] = 1.0
    outside[:, 32:96, 64:] = 0.0

    def paint(model):
        return sample(model, SD1.latent(), area(SD1.conditioning(), 4, 8), SD1.conditioning("blurry"), cfg=1.0)

    model = SD1.model()
    assert torch.equal(paint(biased(model, pictures(), SMALL, outside)), paint(model))
    whole = paint(biased(model, pictures(), SMALL))
    torch.testing.assert_close(paint(biased(model, pictures(), SMALL, inside)), whole, rtol=0, atol=1e-4)
    assert not torch.equal(whole, paint(model))


def test_combined_prompts_are_recorded_with_the_first_that_acts(comfy):
    import nodes

    ranged = nodes.ConditioningSetTimestepRange().set_range

    def paint(model, early=False):
        first = ranged(SD1.conditioning("a beach"), 0.0, 0.4)[0] if early else SD1.conditioning()
        return sample(model, SD1.latent(), first + SD1.conditioning("a cat"), SD1.conditioning("blurry"))

    agrees(same, paint)
    model, seen = SD1.model(), []

    class Changing(Explicit):
        def record(self, x, t, c, words):
            seen.append(float(t[0]))
            return super().record(x, t, c, text(SD1, "a beach" if float(t[0]) > 5 else "a cat"))

    explicit = paint(Changing(pictures(), SMALL, (text(SD1),)).on(model), early=True)
    assert min(seen) < 5 < max(seen)
    assert close(paint(biased(model, pictures(), SMALL), early=True), explicit, paint(model, early=True))


def test_two_nodes_add(comfy):
    """w g_a + w g_b is 2 w of the mean of both."""
    model, both = SD1.model(), pictures(2)
    two = biased(biased(model, both[:1], SMALL), both[1:], SMALL)
    one = biased(model, both, SMALL, weight=2.0)
    assert close(small(two), small(one), small(model), bound=1e-5)


@pytest.mark.parametrize("moment", [(0.0, 0.6), (0.6, 1.0)])
def test_deep_shrink_gets_features_of_its_size(comfy, moment):
    shrink = extra("model_downscale", "PatchModelAddDownscale", 2, 2.0, *moment, True, "bicubic", "bicubic")
    model = SD1.model()
    first, last = shrink(biased(model, pictures(), SMALL)), biased(shrink(model), pictures(), SMALL)
    assert torch.equal(small(first), small(last)) and small(first).isfinite().all()
    assert not torch.equal(small(first), small(shrink(model)))
    assert torch.equal(small(biased(shrink(model), pictures(), SMALL, weight=0.0)), small(shrink(model)))
