"""Connected parts of masks."""

import torch
from pack.attention.parts import around, strongest

INSIDE = torch.tensor([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 0, 1]]).float()


def test_a_part_reaches_over_corners_and_not_over_gaps():
    seed = torch.zeros(2, 4, 4)
    seed[0, 0, 0] = seed[1, 3, 3] = 1
    found = around(seed, INSIDE.expand(2, 4, 4))
    assert found[0].nonzero().tolist() == [[0, 0], [1, 1]] and found[1].nonzero().tolist() == [[3, 3]]
    assert not around(1 - INSIDE[None], INSIDE[None]).any()


def test_the_strongest_part_holds_the_largest_value_inside():
    maps = torch.zeros(2, 4, 4)
    maps[0, 0, 1], maps[0, 1, 3], maps[0, 3, 0] = 9.0, 2.0, 1.0  # the largest lies outside
    found = strongest(torch.stack([INSIDE, torch.zeros(4, 4)]), maps)
    assert found[0].nonzero().tolist() == [[0, 3], [1, 3]] and not found[1].any()
