"""Presence: closed forms and the order that it must keep."""

import pytest
import torch
from pack.attention.presence import presence


def blob(x, y, height=1.0, floor=0.0, size=16):
    grid = torch.arange(size).float()
    return floor + height * torch.exp(-((grid[None] - x) ** 2 + (grid[:, None] - y) ** 2) / 8)


def flat(value=1.0):
    return torch.full((16, 16), value)


def of(*maps, others=None):
    return presence(torch.stack(maps)[None], 0, range(1, len(maps)) if others is None else others)[0].item()


def test_closed_form():
    """A = (3, 1): a = 10/4, m = 2; O = (1, 2): o = 5/4; (a - m) / (a + o) = 2/15."""
    maps = torch.tensor([[[[3.0, 1.0]], [[1.0, 2.0]]]])
    assert presence(maps, 0, [1]).item() == pytest.approx(2 / 15)
    assert presence(maps, 0, []).item() == pytest.approx(0.2)
    three = torch.cat((maps, torch.tensor([[[[3.0, 0.0]]]])), 1)  # the mean of both others is (2, 1): o = 7/4
    assert presence(three, 0, [1, 2]).item() == pytest.approx(2 / 17)
    assert presence(maps, 1, [0]).item() == pytest.approx((5 / 3 - 3 / 2) / (5 / 3 + 5 / 3))


def test_a_flat_or_empty_map_has_none():
    assert of(flat()) == pytest.approx(0, abs=1e-7)
    assert of(flat(0.0), flat()) == 0
    assert of(flat(0.0)) == 0


def test_one_pixel_alone_has_all():
    point = flat(0.0)
    point[3, 4] = 0.2
    assert of(point) == pytest.approx(1 - 1 / 256)
    assert of(point, blob(12, 12)) > 0.99


def test_borrowed_pixels_count_less():
    """Two equal maps share the pixels; where the other word gets more, it owns them."""
    equal, weak = of(blob(8, 8), blob(8, 8)), of(blob(8, 8, 0.2), blob(8, 8))
    assert weak < equal < of(blob(8, 8), blob(1, 14)) < of(blob(8, 8))


def test_does_not_depend_on_scale_or_on_neighbours():
    maps = torch.rand(3, 4, 8, 8)
    whole = presence(maps, 1, [0, 3])
    assert ((whole >= 0) & (whole <= 1)).all()
    torch.testing.assert_close(presence(maps * 1e-4, 1, [0, 3]), whole)
    torch.testing.assert_close(presence(maps[2:], 1, [0, 3]), whole[2:])
    torch.testing.assert_close(presence(maps[:, [1, 3, 0]], 0, [1, 2]), whole)
