"""Maps as colours over a picture."""

import pytest
import torch


@pytest.fixture
def heat(comfy):
    from pack.nodes.pictures import heat

    return heat


def test_nothing_seen_is_the_picture_and_all_seen_the_brightest_colour(heat):
    image = torch.rand(1, 8, 6, 3)
    dark = heat.heat_picture(torch.zeros(1, 4, 3), (8, 6), image)
    assert torch.equal(dark, image)
    bright = heat.heat_picture(torch.ones(1, 4, 3), (8, 6), image)
    torch.testing.assert_close(bright, 0.15 * image + 0.85 * torch.tensor(heat.SCALE[-1]))


def test_colours_stand_at_equal_steps_and_mix_between(heat):
    values = torch.tensor([0.25, 0.5, 0.625])[:, None, None]
    out = heat.heat_picture(values, (1, 1), torch.zeros(1, 1, 1, 3))[:, 0, 0]
    scale = torch.tensor(heat.SCALE)
    colours = torch.stack([scale[1], scale[2], (scale[2] + scale[3]) / 2])
    torch.testing.assert_close(out, colours * 0.85 * values[:, 0])


def test_on_grey_without_a_picture(heat):
    out = heat.heat_picture(torch.zeros(2, 4, 3), (16, 12), None)
    assert torch.equal(out, torch.full((2, 16, 12, 3), 0.5))


def test_one_picture_serves_all_maps_and_a_batch_is_repeated_per_phrase(heat):
    images = torch.rand(2, 4, 4, 3)
    assert torch.equal(heat.heat_picture(torch.zeros(4, 2, 2), (4, 4), images), torch.cat((images, images)))
    assert torch.equal(heat.heat_picture(torch.zeros(1, 2, 2), (4, 4), images), images[:1])
    one = heat.heat_picture(torch.zeros(3, 2, 2), (4, 4), images[:1])
    assert torch.equal(one, images[:1].expand(3, 4, 4, 3))


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_transparent_pictures(heat, channels):
    image = torch.rand(1, 4, 4, channels)
    out = heat.heat_picture(torch.zeros(1, 2, 2), (4, 4), image)
    assert torch.equal(out, image[..., :3].expand(1, 4, 4, 3))


def test_values_stay_between_0_and_1(heat):
    out = heat.heat_picture(torch.rand(2, 5, 7), (31, 17), torch.rand(2, 31, 17, 3))
    assert out.shape == (2, 31, 17, 3) and out.min() >= 0 and out.max() <= 1
