"""Aggregation over layers."""

import torch
from pack.attention.maps import aggregate, weighted
from torch.nn.functional import interpolate

GRIDS = [64] * 5 + [32] * 5 + [16] * 5 + [8]


def test_as_source_000():
    """Its 16 softmax maps of SD1.5, 8 heads: nearest to 64x64, summed over heads and layers, brought to sum 1."""
    generator = torch.Generator().manual_seed(0)
    column, theirs, ours = 5, 0, {}
    for layer, side in enumerate(GRIDS):
        whole = torch.randn(8, side * side, 77, generator=generator).softmax(-1)
        seen = whole[:, :, column].view(8, 1, side, side)
        theirs = theirs + interpolate(seen, size=(64, 64), mode="nearest").sum(0)
        ours[f"layer {layer}"] = seen.mean(0)[None]
    total = aggregate(ours, (64, 64))
    assert total.shape == (1, 1, 64, 64)
    torch.testing.assert_close(total[0] / total.sum(), theirs / theirs.sum(), rtol=1e-5, atol=0)


def test_finer_layers_are_averaged_by_area():
    fine = torch.arange(16.0).view(1, 1, 4, 4)
    expected = torch.tensor([[[[2.5, 4.5], [10.5, 12.5]]]])
    torch.testing.assert_close(aggregate({"a": fine}, (2, 2)), expected)


def test_odd_sizes_keep_the_mean_of_a_flat_map():
    layers = {"a": torch.full((2, 3, 5, 7), 0.25), "b": torch.full((2, 3, 3, 4), 0.75)}
    torch.testing.assert_close(aggregate(layers, (17, 13)), torch.full((2, 3, 17, 13), 0.5))


def test_one_layer_of_the_right_size_is_unchanged():
    maps = torch.rand(2, 3, 6, 4)
    assert torch.equal(aggregate({"a": maps}, (6, 4)), maps)


def test_weighted_layers_count_by_their_cells_in_units_of_their_means():
    fine, coarse = torch.tensor([[[[0.1, 0.1], [0.1, 0.5]]]]), torch.full((1, 1, 1, 1), 0.9)
    expected = (4 * fine / 0.2 + 1) / 5
    torch.testing.assert_close(weighted({"a": fine, "b": coarse}, (2, 2)), expected)
    torch.testing.assert_close(weighted({"a": fine * 7, "b": coarse / 3}, (2, 2)), expected)


def test_weighted_layers_are_interpolated_when_coarser_and_averaged_when_finer():
    layers = {"a": torch.rand(2, 3, 8, 6) + 0.1, "b": torch.rand(2, 3, 2, 2) + 0.1}
    fine, coarse = (layer / layer.mean((2, 3), keepdim=True) for layer in layers.values())
    fine = torch.nn.functional.avg_pool2d(fine, 2)
    coarse = interpolate(coarse, size=(4, 3), mode="bilinear")
    torch.testing.assert_close(weighted(layers, (4, 3)), (48 * fine + 4 * coarse) / 52)


def test_a_word_that_nothing_looked_at_stays_zero():
    assert not weighted({"a": torch.zeros(1, 2, 4, 4)}, (4, 4)).any()
