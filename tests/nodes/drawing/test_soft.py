"""Smaller masks and soft edges, against what each pixel's square window holds."""

import pytest
import torch


@pytest.fixture
def soft(comfy):
    from pack.nodes.drawing import soft

    return soft


@pytest.fixture
def masks():
    return torch.rand(2, 21, 34, generator=torch.Generator().manual_seed(0))


def windows(masks, reach):
    """Of each pixel, all values up to `reach` away that lie in the picture."""
    height, width = masks.shape[-2:]
    for y in range(height):
        for x in range(width):
            rows = slice(max(0, y - reach), y + reach + 1)
            yield y, x, masks[:, rows, max(0, x - reach) : x + reach + 1].flatten(1)


@pytest.mark.parametrize("pixels", [0, 1, 4, 30])
def test_shrunk_is_the_least_around_each_pixel(soft, masks, pixels):
    found = soft.shrunk(masks, pixels)
    assert all(torch.equal(found[:, y, x], around.amin(1)) for y, x, around in windows(masks, pixels))


@pytest.mark.parametrize("pixels", [0, 2, 5, 40])
def test_feathered_is_the_mean_around_each_pixel(soft, masks, pixels):
    found = soft.feathered(masks, pixels)
    for y, x, around in windows(masks, pixels // 2):
        assert torch.allclose(found[:, y, x], around.mean(1), atol=1e-6)
