"""Places of phrases from early maps."""

import pytest
import torch
from pack.attention.places import APART, GRID, RADIUS, places


def blob(y, x, height=1.0, size=(GRID, GRID)):
    """(h, w): a round peak at cell (y, x) over a floor of 0.1."""
    down, across = (torch.arange(side) + 0.5 for side in size)
    return 0.1 + height * torch.exp(-((down[:, None] - y) ** 2 + (across - x) ** 2) / 18)


def rivals(count):
    return ~torch.eye(count, dtype=torch.bool)


def middle(mask):
    """(y, x) in shorter sides."""
    return (mask.nonzero().float().mean(0) + 0.5) / min(mask.shape)


def test_one_phrase_has_a_disc_where_its_map_is_largest():
    (found,) = places(blob(16, 20)[None, None], rivals(1))[0]
    assert torch.allclose(middle(found), torch.tensor([0.5, 0.625]), atol=0.02)
    assert abs(float(found.mean()) - torch.pi * RADIUS**2) < 0.02


@pytest.mark.parametrize("size", [(GRID, GRID), (GRID, 48), (56, GRID)])
def test_each_has_its_own_peak_and_no_cell_is_shared(size):
    maps = torch.stack([blob(10, 8, 1.0, size), blob(20, 26, 3.0, size)])[None]
    first, second = places(maps, rivals(2))[0]
    assert not (first * second).any()
    assert first[10, 8] and second[20, 26] and not first[20, 26] and not second[10, 8]


def test_of_two_at_the_same_spot_the_higher_peak_has_it_and_the_other_goes_elsewhere():
    maps = torch.stack([blob(12, 12, 0.5) + 0.2 * blob(12, 26), blob(12, 12, 3.0)])[None]
    weak, strong = places(maps, rivals(2))[0]
    assert strong[12, 12] and not weak[12, 12] and not (weak * strong).any()
    assert (middle(weak) - middle(strong)).norm() > APART
    assert weak[12, 26]


def test_phrases_that_share_words_may_share_a_place():
    maps = torch.stack([blob(12, 12), blob(12, 12)])[None]
    first, second = places(maps, torch.zeros(2, 2, dtype=torch.bool))[0]
    assert torch.equal(first, second)


@pytest.mark.parametrize(("count", "value"), [(1, 0.3), (2, 0.0), (5, 0.3), (16, 0.3)])
def test_flat_maps_and_many_phrases_have_places_that_do_not_meet(count, value):
    found = places(torch.full((2, count, GRID, GRID), value), rivals(count))
    assert torch.equal(found[0], found[1]) and found.sum(1).max() == 1
    assert found.flatten(2).any(2).all() and set(found.unique().tolist()) <= {0.0, 1.0}


def test_a_picture_does_not_depend_on_its_neighbours_nor_on_the_scale_of_its_maps():
    maps = torch.rand(3, 3, GRID, 40, generator=torch.Generator().manual_seed(1))
    together = places(maps, rivals(3))
    assert torch.equal(places(maps[1:2], rivals(3)), together[1:2])
    assert torch.equal(places(maps * torch.tensor([1.0, 64.0, 0.25])[:, None, None], rivals(3)), together)
    assert not torch.equal(together[0], together[1])


def test_a_middle_keeps_off_the_edge():
    (found,) = places(blob(0, 0)[None, None], rivals(1))[0]
    assert found[4, 4] and found[int(0.4 * GRID), int(0.2 * GRID)]
