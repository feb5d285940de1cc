"""Regions act per conditioning, each equal to the reference: areas, masks, ranges, hooks, guiders, passes in a step."""

import pytest
import torch
from pack.tests import tiny_control
from pack.tests.noise import noise_of, within
from pack.tests.patches.placing import PROMPT, Explicit, Told, close, left, place, region
from pack.tests.tiny_models import FAMILIES, sample

FAMILY = FAMILIES["sd1"]
SIZE = (17, 13)
REGION = torch.rand(1, 136, 104, generator=torch.Generator().manual_seed(5))
CUT = REGION[:, 24:88, 16:80]  # the area below, in pixels


def texts():
    """Phrase in a positive, another positive, a negative that holds the phrase."""
    return FAMILY.conditioning(PROMPT), FAMILY.conditioning("a beach"), FAMILY.conditioning("red dog")


def told(entry, mask=REGION, rows=(2, 3), shape=None):
    return Told(entry[0][0], [(mask, rows, 1.0, 0.3)], shape)


def box():
    mask = torch.zeros(1, 136, 104)
    mask[:, 24:88, 16:80] = 1
    return mask


def area(entry):
    import nodes

    return nodes.ConditioningSetArea().append(entry, 64, 64, 16, 24, 1.0)[0]


def bounds(entry):
    import nodes

    return nodes.ConditioningSetMask().append(entry, box(), "mask bounds", 1.0)[0]


@pytest.mark.parametrize("cut", [area, bounds])
def test_an_area_takes_its_part_of_the_region_and_its_copy_in_the_negative_none(comfy, cut):
    """The host copies the entry with uuid and tag to the negative, there with the negative's text."""
    whole, beach, negative = texts()
    given = ([*cut(whole), *beach], negative)
    latent = FAMILY.latent(1, *SIZE)
    plain = sample(FAMILY.model(), latent, *given)
    explicit = sample(Explicit(told(whole, CUT)).on(FAMILY.model()), latent, *given)
    patched = place(FAMILY.model(), region(mask=REGION))
    assert close(sample(patched, latent, *given), explicit, plain)
    sides = [told(whole, CUT), told(negative, CUT, (1, 2), (8, 8)), told(negative, REGION, (1, 2), SIZE)]
    explicit = sample(Explicit(*sides).on(FAMILY.model()), latent, *given)
    patched = place(FAMILY.model(), region(mask=REGION), apply_to="both")
    assert close(sample(patched, latent, *given), explicit, plain)


def masked(entry):
    import nodes

    return nodes.ConditioningSetMask().append(entry, box(), "default", 1.0)[0]


def early(entry):
    import nodes

    return nodes.ConditioningSetTimestepRange().set_range(entry, 0.0, 0.5)[0]


def lora(entry):
    return tiny_control.hooked(entry, tiny_control.lora_hooks(FAMILY.model()))


def control(entry):
    return tiny_control.control(entry, entry)[0]


@pytest.mark.parametrize("shape", [masked, early, lora, control])
def test_masks_ranges_hooks_and_control(comfy, shape):
    phrase, beach, negative = texts()
    given, latent = ([*shape(phrase), *beach], negative), FAMILY.latent(1, 16, 16)
    plain = sample(FAMILY.model(), latent, *given)
    explicit = sample(Explicit(told(phrase)).on(FAMILY.model()), latent, *given)
    assert close(sample(place(FAMILY.model(), region(mask=REGION)), latent, *given), explicit, plain)


def perturbed(model):
    from comfy_extras.nodes_pag import PerturbedAttentionGuidance

    return PerturbedAttentionGuidance.execute(model, 3.0).result[0]


def self_attention(model):
    from comfy_extras.nodes_sag import SelfAttentionGuidance

    return SelfAttentionGuidance.execute(model, 0.5, 2.0).result[0]


def perp_neg(model):
    from comfy_extras.nodes_perpneg import PerpNeg

    return PerpNeg.execute(model, FAMILY.conditioning(""), 1.0).result[0]


@pytest.mark.parametrize("node", [perturbed, self_attention, perp_neg])
def test_passes_inside_a_step_are_biased_too(comfy, node):
    """SAG's own pass has the negative at position 0 of `cond_or_uncond`."""
    phrase, _, negative = texts()
    latent, model = FAMILY.latent(1, 16, 16), node(FAMILY.model())
    plain = sample(model, latent, phrase, negative)
    explicit = sample(Explicit(told(phrase), told(negative, rows=(1, 2))).on(model), latent, phrase, negative)
    patched = node(place(FAMILY.model(), region(mask=REGION), apply_to="both"))
    assert close(sample(patched, latent, phrase, negative), explicit, plain)


def basic(model):
    from comfy_extras.nodes_custom_sampler import BasicGuider

    return BasicGuider.execute(model, texts()[0])


def dual(model):
    from comfy_extras.nodes_custom_sampler import DualCFGGuider

    return DualCFGGuider.execute(model, texts()[1], texts()[0], texts()[2], 4.0, 3.0, "regular")


def perpendicular(model):
    from comfy_extras.nodes_perpneg import PerpNegGuider

    return PerpNegGuider.execute(model, texts()[0], texts()[2], FAMILY.conditioning(""), 4.0, 1.0)


@pytest.mark.parametrize("guider", [basic, dual, perpendicular])
def test_guiders_of_the_custom_sampler(comfy, guider):
    """The phrase in the positive of a guider without negative, in DualCFG's second, in Perp-Neg's positive."""
    import comfy.samplers
    from comfy_extras.nodes_custom_sampler import Noise_RandomNoise, SamplerCustomAdvanced

    def run(model):
        sigmas, latent = torch.tensor([9.0, 3.0, 0.0]), {"samples": FAMILY.latent(1, 16, 16)}
        sampler = comfy.samplers.sampler_object("euler")
        out = SamplerCustomAdvanced.execute(Noise_RandomNoise(1), guider(model).result[0], sampler, sigmas, latent)
        return out.result[0]["samples"]

    explicit = run(Explicit(told(texts()[0])).on(FAMILY.model()))
    assert close(run(place(FAMILY.model(), region(mask=REGION))), explicit, run(FAMILY.model()))


def test_an_item_of_a_batch_is_as_alone_with_its_own_mask(comfy):
    import comfy.sample

    positive, _, negative = texts()
    noise = torch.randn(3, 4, 17, 13, generator=torch.Generator().manual_seed(1))
    masks = torch.stack([left(24, 24)[0], left(24, 24)[0].T, left(24, 24, 0.0)[0]])

    def run(noise, masks):
        model = FAMILY.model() if masks is None else place(FAMILY.model(), region(mask=masks))
        given = positive, negative, torch.zeros_like(noise)
        return comfy.sample.sample(model, noise, 2, 3.0, "euler", "normal", *given, seed=1, disable_pbar=True)

    together, rounding = run(noise, masks), noise_of(lambda: run(noise, None))
    for i in range(3):
        assert within(together[i : i + 1], run(noise[i : i + 1], masks[i : i + 1]), rounding)


def test_joint_std_with_both_sides_is_the_source_exactly(comfy):
    """One standard deviation over all of the batch, repeats of a short prompt included."""
    positive, _, negative = texts()
    negative += FAMILY.conditioning("red dog at night", 154)
    latent, regions = FAMILY.latent(2, 16, 16), region(mask=REGION)
    sides = [told(positive), told(negative[:1], rows=(1, 2)), told(negative[1:], rows=(1, 2))]
    explicit = sample(Explicit(*sides, joint=True).on(FAMILY.model()), latent, positive, negative)
    own = sample(place(FAMILY.model(), regions, apply_to="both"), latent, positive, negative)
    ours = sample(place(FAMILY.model(), regions, apply_to="both", std="joint"), latent, positive, negative)
    assert close(ours, explicit, sample(FAMILY.model(), latent, positive, negative))
    assert (ours - own).abs().max() > 1e-4 * ours.abs().max()
