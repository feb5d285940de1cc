"""Closed forms of the mixes and of the mean over pictures."""

import pytest
import torch
from pack.sampling.mixing import EPS, MIXES, adain, add, blend, mean_over_images


def features(seed: int, count: int = 2, shape: tuple[int, ...] = (3, 5, 4), dtype=torch.float32):
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def test_mean_is_weighted_and_ignores_order():
    g = features(0, 3)
    mean = mean_over_images(g, (1.0, 2.0, 5.0))
    assert mean.shape == (1, 3, 5, 4)
    torch.testing.assert_close(mean[0], (g[0] + 2 * g[1] + 5 * g[2]) / 8)
    torch.testing.assert_close(mean_over_images(g[[2, 0, 1]], (5.0, 1.0, 2.0)), mean)
    torch.testing.assert_close(mean_over_images(g, (10.0, 20.0, 50.0)), mean)
    torch.testing.assert_close(mean_over_images(g, (1.0, -2.0, 3.0))[0], (g[0] - 2 * g[1] + 3 * g[2]) / 2)
    assert torch.equal(mean_over_images(g[:1], (0.3,)), g[:1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_equal_pictures_equal_one_in_half_precision(dtype):
    """A third three times is not one in half precision; the mean is taken in float32."""
    g = features(1, 1, dtype=dtype)
    for count in (3, 7, 31):
        mean = mean_over_images(g.repeat(count, 1, 1, 1), range(1, count + 1))
        assert mean.dtype == dtype and torch.equal(mean, g)


@pytest.mark.parametrize("name", MIXES)
def test_weight_0_changes_no_bit(name):
    h = features(2)
    assert torch.equal(MIXES[name](h, 1e3 * features(3, 1), 0.0), h)
    assert torch.equal(MIXES[name](h, 1e3 * features(3, 1), torch.zeros(1, 1, 5, 4)), h)


def test_ends():
    h, g = features(2), features(3, 1)
    assert torch.equal(add(h, g, 1.0), h + g)
    assert torch.equal(blend(h, g, 1.0), g.expand_as(h))
    torch.testing.assert_close(add(h, g, -0.5) + 0.5 * g, h)
    torch.testing.assert_close(blend(h, g, 0.25), 0.75 * h + 0.25 * g)


def test_blend_keeps_the_size_of_features():
    """Where add grows: variances of independent features add."""
    h, g = features(4, 1, (64, 32, 32)), features(5, 1, (64, 32, 32))
    assert blend(h, g, 0.5).var().item() == pytest.approx(0.5, rel=0.05)
    assert add(h, g, 1.0).var().item() == pytest.approx(2.0, rel=0.05)


def test_adain_has_the_statistics_of_g_and_the_pattern_of_h():
    h, g = features(6), 3 * features(7, 1) + 2
    out = adain(h, g, 1.0)
    for i in range(2):
        torch.testing.assert_close(out[i].mean((1, 2)), g[0].mean((1, 2)), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(out[i].std((1, 2)), g[0].std((1, 2)), rtol=1e-3, atol=1e-4)
        pattern = torch.corrcoef(torch.stack((out[i, 0].flatten(), h[i, 0].flatten())))
        assert pattern[0, 1] > 0.9999
    torch.testing.assert_close(adain(h, g, 0.5), (h + out) / 2)
    torch.testing.assert_close(adain(h, h, 1.0), h, rtol=1e-4, atol=1e-4)
    spread = h.std((2, 3), correction=0, keepdim=True)
    wanted = (h - h.mean((2, 3), keepdim=True)) / (spread + EPS) * g.std((2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(out, wanted + g.mean((2, 3), keepdim=True))


def test_adain_of_a_flat_map_is_finite():
    out = adain(torch.ones(1, 2, 4, 4), torch.full((1, 2, 4, 4), 3.0), 1.0)
    torch.testing.assert_close(out, torch.full((1, 2, 4, 4), 3.0))


@pytest.mark.parametrize("name", MIXES)
def test_a_map_of_weights_acts_cell_by_cell(name):
    h, g = features(8), features(9, 1)
    weight = torch.linspace(-1, 1, 40).view(2, 1, 5, 4)
    out = MIXES[name](h, g, weight)
    for item, y, x in ((0, 0, 0), (1, 4, 3), (1, 2, 1)):
        alone = MIXES[name](h, g, float(weight[item, 0, y, x]))
        torch.testing.assert_close(out[item, :, y, x], alone[item, :, y, x])
