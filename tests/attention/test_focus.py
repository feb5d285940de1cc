"""The peaked pull of a region: closed forms for boxes, the rule for every other shape, exact off."""

import math

import pytest
import torch
from pack.attention.focus import SPREAD, focused
from pack.attention.regions import Region


def box(top, bottom, left, right, size=(64, 64)):
    mask = torch.zeros(1, *size)
    mask[:, top:bottom, left:right] = 1
    return mask


def gauss(mask, middle, deviation):
    """mask times a round Gaussian around middle (y, x), in pixels."""
    y, x = (torch.arange(side) + 0.5 for side in mask.shape[1:])
    away = torch.hypot(y[:, None] - middle[0], x - middle[1])
    return mask * torch.exp(-0.5 * (away / deviation) ** 2)


def disc(y, x, radius, size=64):
    at = torch.arange(size) + 0.5
    return (torch.hypot(at[:, None] - y, at - x) <= radius).float()[None]


def test_no_focus_is_the_mask_itself():
    mask = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(0))
    assert focused(mask, 0) is mask and Region("a", mask).pull is mask


@pytest.mark.parametrize("focus", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(
    ("place", "size"),
    [
        ((0, 64, 0, 32), (64, 64)),
        ((8, 24, 40, 64), (64, 64)),
        ((100, 400, 0, 200), (512, 400)),
        ((3, 7, 5, 9), (16, 16)),
    ],
)
def test_a_box_has_a_round_peak_in_its_middle_as_wide_as_half_its_shorter_side(focus, place, size):
    top, bottom, left, right = place
    mask = box(*place, size)
    half = min(bottom - top, right - left) / 2
    expected = gauss(mask, ((top + bottom) / 2, (left + right) / 2), SPREAD / focus * half)
    assert torch.allclose(Region("a", mask, focus=focus).pull, expected, atol=0.03)


def test_each_picture_of_a_batch_has_its_own_middle_and_a_black_one_stays_black():
    masks = torch.cat([box(0, 32, 0, 32), torch.zeros(1, 64, 64), box(32, 64, 32, 64)])
    one, none, other = focused(masks, 1.0)
    assert torch.equal(one[:32, :32], other[32:, 32:]) and not none.any()


def test_a_soft_or_faint_mask_keeps_its_values_and_has_the_middle_of_what_is_above_half_of_its_peak():
    hard = box(16, 48, 16, 48)
    assert torch.allclose(focused(0.3 * hard, 1.0), 0.3 * focused(hard, 1.0))
    soft = (hard + 0.4 * box(0, 64, 0, 64)).clamp(0, 1)
    assert torch.allclose(focused(soft, 1.0), gauss(soft, (32, 32), SPREAD * 16), atol=1e-4)


def test_a_disc_is_nearly_as_deep_as_its_radius():
    mask = disc(30, 34, 20)
    pull, narrow, wide = focused(mask, 1.0), *(gauss(mask, (30, 34), SPREAD * radius) for radius in (17.5, 20))
    assert (pull >= narrow - 0.02).all() and (pull <= wide + 0.02).all()


@pytest.mark.parametrize("scale", [1, 4])
def test_a_ring_is_pulled_most_half_way_between_its_edges_all_around(scale):
    ring = disc(32 * scale, 32 * scale, 28 * scale, 64 * scale) - disc(32 * scale, 32 * scale, 12 * scale, 64 * scale)
    pull = focused(ring, 1.0)[0]
    right, down = (pull[32 * scale, 32 * scale :: scale], pull[32 * scale :: scale, 32 * scale])
    rim = math.exp(-0.5 * (7.5 / (SPREAD * 8)) ** 2)
    for line in (right, down):
        assert line[20].item() == pytest.approx(1, abs=0.05) and not line[:11].any()
        assert line[12].item() == pytest.approx(rim, abs=0.1) and line[27].item() == pytest.approx(rim, abs=0.1)


def test_several_parts_are_all_pulled_the_deepest_most():
    pull = focused(box(0, 32, 0, 32) + box(40, 56, 40, 56), 1.0)[0]
    assert pull[16, 16] > 0.99
    assert pull[48, 48].item() == pytest.approx(math.exp(-0.5 * (8 / (SPREAD * 16)) ** 2), abs=0.03)


def test_a_speck_beside_a_region_does_not_make_it_two():
    mask = box(0, 32, 0, 64)
    speck = mask + box(60, 62, 60, 62)
    assert torch.allclose(focused(speck, 1.0)[:, :32], focused(mask, 1.0)[:, :32], atol=0.02)


def test_a_thin_line_keeps_a_pull():
    line = box(100, 101, 0, 512, (512, 512))
    pull = focused(line, 1.0)
    assert pull.isfinite().all() and pull.max() > 0.8
