"""How alike steps are, in one number."""

import pytest
import torch
from pack.bench.even import by_pixels, uniformity


def test_uniformity_is_one_for_equal_steps_and_small_for_a_single_one():
    assert uniformity([0.3] * 8) == pytest.approx(1.0)
    assert uniformity([1.0] + [0.0] * 7) == pytest.approx(1 - 14 / 16)
    assert uniformity([1.0, 3.0]) == pytest.approx(0.75)


def test_pictures_are_compared_with_their_neighbours():
    levels = torch.tensor([0.0, 0.1, 0.4]).view(-1, 1, 1, 1).expand(-1, 8, 8, 3)
    assert by_pixels(levels) == pytest.approx(0.75)
