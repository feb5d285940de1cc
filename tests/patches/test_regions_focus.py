"""A region with a focus: strength pulls in the middle of its mask, outside pushes off the whole of it."""

import pytest
import torch
from pack.attention.focus import SPREAD
from pack.tests.patches.placing import Explicit, Told, close, place, region
from pack.tests.tiny_models import FAMILIES, sample


def boxed(top, bottom, left, right, size=(48, 64)):
    mask = torch.zeros(1, *size)
    mask[:, top:bottom, left:right] = 1
    return mask


def peaked(mask, middle, deviation):
    y, x = (torch.arange(side) + 0.5 for side in mask.shape[1:])
    return mask * torch.exp(-0.5 * ((y[:, None] - middle[0]) ** 2 + (x - middle[1]) ** 2) / deviation**2)


@pytest.mark.parametrize("name", ["sd1", "sdxl"])
def test_it_equals_a_peaked_pull_and_a_flat_push(comfy, name):
    family = FAMILIES[name]
    given = family.latent(2, 12, 16), family.conditioning(), family.conditioning("")
    masks = torch.cat([boxed(0, 48, 0, 32), boxed(8, 40, 32, 64)])
    pulls = torch.cat([peaked(masks[:1], (24, 16), SPREAD / 1.5 * 16), peaked(masks[1:], (24, 48), SPREAD / 1.5 * 16)])
    told = Told(given[1][0][0], [(pulls, (2, 3), 1.0, 0.0), (masks, (2, 3), 0.0, 0.3)])
    explicit = sample(Explicit(told).on(family.model()), *given)
    flat = sample(place(family.model(), region(mask=masks)), *given)
    assert close(sample(place(family.model(), region(mask=masks, focus=1.5)), *given), explicit, flat)


def test_no_strength_is_the_push_alone_whatever_the_focus(comfy):
    family = FAMILIES["sd1"]
    given = family.latent(), family.conditioning(), family.conditioning("")
    flat, peak = (sample(place(family.model(), region(strength=0.0, focus=focus)), *given) for focus in (0.0, 2.0))
    assert torch.equal(flat, peak)


def test_the_pull_is_cut_to_the_area_of_a_conditioning_where_it_lies_in_the_picture(comfy):
    import nodes

    family = FAMILIES["sd1"]
    latent, positive, negative = family.latent(1, 16, 16), family.conditioning(), family.conditioning("")
    part = nodes.ConditioningSetArea().append(positive, 64, 128, 64, 0, 1.0)[0]  # the right half
    mask = boxed(0, 128, 32, 96, (128, 128))
    pull = peaked(mask, (64, 64), SPREAD * 32)
    told = Told(positive[0][0], [(pull[..., 64:], (2, 3), 1.0, 0.0), (mask[..., 64:], (2, 3), 0.0, 0.3)])
    given = latent, part, negative
    explicit, plain = sample(Explicit(told).on(family.model()), *given), sample(family.model(), *given)
    assert close(sample(place(family.model(), region(mask=mask, focus=1.0)), *given), explicit, plain)
