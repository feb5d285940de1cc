"""Refined read-outs: weighted layers, sharpened self-attention, one owner per pixel among phrases that are there."""

import dataclasses

import pytest
import torch
from pack.attention.captured import Captured
from pack.attention.maps import weighted
from pack.attention.readout import ReadOut, read_out
from pack.attention.refine import refine
from pack.attention.threshold import Threshold, mask
from torch.nn.functional import interpolate

OTSU = Threshold("otsu")
SIZE = (64, 48)
RIVALS = {"cat": ("dog",), "dog": ("cat",)}


def captured(**changes):
    """Two pictures. First: 'cat' on the left and half as much on the right, 'dog' on the right; then 'cat' alone."""
    cat, dog = torch.full((8, 6), 0.02), torch.full((8, 6), 0.02)
    cat[2:6, :2], cat[2:6, 4:], dog[2:6, 4:] = 0.4, 0.25, 0.4
    flat = torch.full((8, 6), 0.03)
    fine = torch.stack([torch.stack([cat, dog, flat]), torch.stack([cat, flat, flat])])
    layers = {"in.1": fine, "mid.0": torch.nn.functional.avg_pool2d(fine, 2)}
    others = {"cat": ("dog", "sky"), "dog": ("cat", "sky")}
    selves = torch.rand(2, 12, 12, generator=torch.Generator().manual_seed(1)).pow(4)
    selves = selves / selves.sum(-1, keepdim=True)
    made = Captured(("cat", "dog", "sky"), others, layers, selves, (4, 3), torch.zeros(2, 4, 8, 6), 8, RIVALS, True)
    return dataclasses.replace(made, **changes)


def read(*phrases, given=None, **how):
    return read_out(given or captured(), phrases, SIZE, ReadOut(**{"threshold": OTSU, "refine": 1, **how}))


def wide(maps):
    """Of (B, h, w): evened, and resized smoothly without values below nothing."""
    return interpolate(maps[:, None] ** 0.7, size=SIZE, mode="bicubic", align_corners=False)[:, 0].clamp_min(0)


LEFT, RIGHT = (slice(20, 44), slice(0, 12)), (slice(20, 44), slice(36, 48))


def test_without_rivals_it_is_the_rule_on_refined_weighted_maps():
    given = captured(rivals={})
    for rounds in (1, 2):
        out = read("cat", given=given, refine=rounds, always=True)
        expected = refine(weighted(given.layers, (4, 3)), given.self_attention, (4, 3), rounds)[:, 0]
        assert torch.equal(out.mask, mask(wide(expected), SIZE, OTSU)) and out.heat.shape == (2, 4, 3)
        torch.testing.assert_close(out.heat, (expected / expected.amax((1, 2), keepdim=True)) ** 0.7)


def test_presence_is_that_of_the_maps_as_they_are():
    assert torch.equal(read("cat", "dog").presence, read("cat", "dog", refine=0).presence)


def test_no_rounds_read_as_if_nothing_had_been_recorded():
    bare = captured(self_attention=None, self_grid=(0, 0), rivals={}, refinable=False)
    for how in ({}, {"combine": "each"}, {"always": True}):
        old, new = read(given=bare, refine=0, **how), read(refine=0, **how)
        assert torch.equal(old.mask, new.mask) and torch.equal(old.heat, new.heat)


def test_a_phrase_that_is_there_takes_its_pixels_from_its_rivals():
    eye = captured(self_attention=torch.eye(48).expand(2, 48, 48), self_grid=(8, 6))
    for phrases, dog in ((("cat", "dog"), 2), (("cat",), None)):
        out = read(*phrases, given=eye, combine="each")
        assert out.mask[0][LEFT].all() and not out.mask[0][RIGHT].any()
        assert dog is None or (out.mask[dog][RIGHT].all() and not out.mask[dog][LEFT].any())
        assert out.mask[1][LEFT].all() and out.mask[1][RIGHT].all()  # no dog in the second picture


def test_rivals_lose_their_pixels_before_they_spread_over_what_belongs_together():
    """The right cells look at each other alone, and at one that is the cat's: no cat must spread from it."""
    given = captured(self_attention=torch.eye(48).expand(2, 48, 48), self_grid=(8, 6))
    alone = read("cat", given=dataclasses.replace(given, rivals={}))
    out = read("cat", given=given)
    assert alone.heat[0, 2:6, 4:].min() > 0.4 and out.heat[0, 2:6, 4:].max() == 0


def test_a_phrase_that_is_not_there_takes_nothing_unless_all_count_as_there():
    """'dog' is nowhere in the second picture, and its even map is largest in every place."""
    eye = captured(self_attention=torch.eye(48).expand(2, 48, 48), self_grid=(8, 6))
    assert read("cat", "dog", given=eye, combine="each", always=True).mask[1][LEFT].all()
    ghost = read("cat", "dog", given=eye, combine="each", found=0.0)
    assert not ghost.mask[1][RIGHT].any()


def test_a_model_that_showed_no_self_attention_still_weighs_layers_and_has_owners():
    given = captured(self_attention=None, self_grid=(0, 0))
    out = read("cat", "dog", given=given, combine="each")
    assert out.heat.shape == (4, 8, 6)
    assert out.mask[0][LEFT].all() and not out.mask[0][RIGHT].any() and out.mask[2][RIGHT].all()
    alone = dataclasses.replace(given, rivals={})
    assert torch.equal(read("cat", given=alone).mask, mask(wide(weighted(given.layers, (8, 6))[:, 0]), SIZE, OTSU))


def test_where_self_attention_was_not_asked_for_refinement_is_refused():
    with pytest.raises(ValueError, match="Refinement needs self-attention, which Attention Capture records only with"):
        read("cat", given=captured(self_attention=None, refinable=False))
