"""Map to mask: source 000's rule and the others, in closed form."""

import pytest
import torch
from pack.attention.threshold import METHODS, Threshold, mask


def positive(b=3, h=12, w=9):
    return torch.rand(b, h, w, generator=torch.Generator().manual_seed(0)).exp() ** 3


def cut(maps, method, level, softness=0.0, size=None):
    return mask(maps, size or tuple(maps.shape[1:]), Threshold(method, level, softness))


def test_log_mean_is_source_000():
    maps = positive()
    for a, m in zip(maps, cut(maps, "log_mean", 0.2), strict=True):
        assert torch.equal(m, (a > torch.exp(a.log().mean() + 0.2)).float())
        assert 0 < m.mean() < 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("softness", [0.0, 0.7])
def test_scale_and_neighbours_do_not_matter(method, softness):
    maps, level = positive(), METHODS[method]
    whole = cut(maps, method, level, softness)
    torch.testing.assert_close(cut(maps * 1024, method, level, softness), whole, rtol=0, atol=1e-5)
    assert torch.equal(cut(maps[1:2], method, level, softness), whole[1:2])


@pytest.mark.parametrize(("method", "levels"), [("log_mean", (0, 0.2, 0.9, 2)), ("quantile", (0, 0.3, 0.9, 1))])
def test_higher_level_smaller_mask(method, levels):
    areas = [cut(positive(), method, level).mean((1, 2)) for level in levels]
    assert all((b < a).all() for a, b in zip(areas, areas[1:], strict=False))


def test_absolute_higher_level_smaller_mask():
    areas = [cut(positive(), "absolute", level).mean((1, 2)) for level in (0, 0.3, 0.7, 1)]
    assert all((b < a).all() for a, b in zip(areas, areas[1:], strict=False))
    assert (areas[-1] == 0).all()


def test_closed_forms():
    maps = torch.tensor([[[1.0, 2.0, 3.0, 10.0, 11.0]]])
    assert cut(maps, "otsu", 0).tolist() == [[[0, 0, 0, 1, 1]]]
    assert cut(maps, "quantile", 0.5).tolist() == [[[0, 0, 0, 1, 1]]]
    assert cut(maps, "quantile", 0.75).tolist() == [[[0, 0, 0, 0, 1]]]
    assert cut(maps, "absolute", 0.15).tolist() == [[[0, 0, 1, 1, 1]]]  # above 1 + 0.15 * 10
    assert cut(maps, "log_mean", 0.0).tolist() == [[[0, 0, 0, 1, 1]]]  # above 660 ** (1/5) = 3.66


def test_otsu_has_the_largest_variance_between_groups():
    for a, m in zip(positive(), cut(positive(), "otsu", 0), strict=True):
        values = a.flatten().double()

        def between(inside, values=values):
            share = inside.double().mean()
            return share * (1 - share) * (values[inside].mean() - values[~inside].mean()) ** 2

        best = max(between(values > v) for v in values.sort().values[:-1])
        assert between(m.flatten() > 0.5) == pytest.approx(best.item())


def test_ties_are_never_split():
    maps = torch.tensor([[[1.0] * 6 + [2.0] * 2 + [3.0] * 2]])
    for method in METHODS:
        m = cut(maps, method, METHODS[method])
        assert m[0, 0, 6] == m[0, 0, 7] and m[0, 0, 8] == m[0, 0, 9] and (m[0, 0, :6] == 0).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [1e-5, 0.3, 0.0])
def test_a_flat_map_has_no_inside(method, value):
    level = 0.0 if method == "log_mean" else METHODS[method]
    assert not cut(torch.full((2, 7, 5), value), method, level).any()


def test_pixels_beyond_an_area_do_not_count():
    """A picture that a conditioning covers in part has zeros elsewhere, whose logarithm is no number."""
    inside = positive(1, 6, 6)
    padded = torch.cat((inside, torch.zeros(1, 6, 6)), 2)
    assert torch.equal(cut(padded, "log_mean", 0.2)[:, :, :6], cut(inside, "log_mean", 0.2))
    assert not cut(padded, "log_mean", 0.2)[:, :, 6:].any()


def test_softness_is_a_ramp_in_log_units():
    """Threshold at 1: exp(-s/2) gives 0, 1 gives half, exp(s/2) gives 1."""
    s = 0.8
    logs = torch.tensor([-2.0, -s / 2, -s / 4, 0.0, s / 4, s / 2, 2.0])
    soft = cut(logs.exp()[None, None], "log_mean", 0.0, s)
    torch.testing.assert_close(soft, torch.tensor([[[0, 0, 0.25, 0.5, 0.75, 1, 1]]]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_soft_and_hard_masks_agree_on_the_inside(method):
    hard, soft = (cut(positive(), method, METHODS[method], s) for s in (0.0, 0.5))
    assert torch.equal(soft > 0.5, hard > 0.5)
    assert ((soft > 0) & (soft < 1)).any()


def test_the_map_is_resized_before_the_threshold():
    maps = torch.zeros(1, 4, 4) + 0.01
    maps[0, 1:3, 1:3] = 1
    m = cut(maps, "absolute", 0.4, size=(40, 28))
    assert m.shape == (1, 40, 28) and set(m.unique().tolist()) == {0, 1}
    assert m[0, 20, 14] == 1 and m[0, 0, 0] == 0
    assert m[0, 10, 7] == 0 and m[0, 10, 14] == 1  # the corner of the square is rounded: no staircase of cells


@pytest.mark.parametrize("method", ["quantile", "absolute"])
def test_a_fraction_beyond_its_range_is_refused(method):
    with pytest.raises(ValueError, match="give 0 to 1"):
        Threshold(method, 1.5)
    Threshold("log_mean", 1.5)
