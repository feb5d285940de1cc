"""A pixel belongs to the phrase that is seen there most, among those that compete."""

import torch
from pack.attention.owners import owned


def rivals(*pairs, n=3):
    found = torch.zeros(1, n, n, dtype=torch.bool)
    for i, j in pairs:
        found[0, i, j] = True
    return found


MAPS = torch.tensor([[[[0.2, 0.1, 0.0]], [[6.0, 8.0, 2.0]], [[0.5, 0.5, 0.5]]]])
"""Of three phrases on three pixels; in units of the largest: 1 .5 0, .75 1 .25, 1 1 1."""


def test_each_counts_in_units_of_its_own_largest_value():
    both = owned(MAPS, rivals((0, 1), (1, 0)))
    assert both[0, 0].tolist() == [[True, False, False]] and both[0, 1].tolist() == [[False, True, True]]
    assert both[0, 2].all()


def test_a_phrase_without_rivals_owns_every_pixel():
    assert owned(MAPS, rivals()).all()
    one_way = owned(MAPS, rivals((1, 0)))
    assert one_way[0, 0].all() and one_way[0, 1].tolist() == [[False, True, True]]


def test_a_tie_is_shared():
    tied = owned(MAPS, rivals((0, 2), (2, 0)))
    assert tied[0, 0].tolist() == [[True, False, False]] and tied[0, 2].all()


def test_rivals_are_those_of_each_picture():
    maps, pairs = MAPS.repeat(2, 1, 1, 1), torch.cat([rivals(), rivals((0, 1))])
    own = owned(maps, pairs)
    assert own[0, 0].all() and own[1, 0].tolist() == [[True, False, False]]
    assert owned(torch.zeros(1, 3, 2, 2), rivals((0, 1))).all()
