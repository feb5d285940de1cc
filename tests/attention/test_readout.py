"""Captured maps as masks, heat and presence: which, in what order, and what of a phrase that is not there."""

import dataclasses

import pytest
import torch
from pack.attention.captured import Captured
from pack.attention.maps import aggregate
from pack.attention.presence import presence
from pack.attention.readout import ReadOut, read_out
from pack.attention.threshold import Threshold, mask

OTSU = Threshold("otsu")
SIZE = (64, 48)


def spot(top, left, value=0.4):
    """(8, 6): a square of 2 cells on a low ground."""
    grid = torch.full((8, 6), 0.02)
    grid[top : top + 2, left : left + 2] = value
    return grid


def captured(**changes):
    """Two pictures: 'cat' above on the left, then below on the right; 'dog' below in the first alone; 'sky' nowhere."""
    flat = torch.full((8, 6), 0.03)
    fine = torch.stack([torch.stack([spot(1, 1), spot(5, 3), flat]), torch.stack([spot(5, 3), flat, flat])])
    layers = {"in.1": fine, "mid.0": torch.nn.functional.avg_pool2d(fine, 2)}
    others = {"cat": ("dog", "sky"), "dog": ("cat", "sky")}
    made = Captured(("cat", "dog", "sky"), others, layers, None, (0, 0), torch.zeros(2, 4, 8, 6))
    return dataclasses.replace(made, **changes)


def read(*phrases, given=None, **how):
    return read_out(given or captured(), phrases, SIZE, ReadOut(**{"threshold": OTSU, **how}))


def square(picture, top, left):
    """Whether a mask is the square of 2 cells, to a border of half a cell."""
    inner, outer = torch.zeros(SIZE, dtype=torch.bool), torch.zeros(SIZE, dtype=torch.bool)
    inner[8 * top + 4 : 8 * top + 12, 8 * left + 4 : 8 * left + 12] = True
    outer[8 * top - 4 : 8 * top + 20, 8 * left - 4 : 8 * left + 20] = True
    return bool((picture[inner] == 1).all() and (picture[~outer] == 0).all())


def test_each_gives_all_pictures_of_the_first_phrase_first():
    out = read("dog", "cat", combine="each")
    assert out.mask.shape == (4, *SIZE) and out.heat.shape == (4, 8, 6) and out.presence.shape == (2, 2)
    assert square(out.mask[0], 5, 3) and square(out.mask[2], 1, 1) and square(out.mask[3], 5, 3)
    assert not out.mask[1].any()


def test_union_gives_one_mask_per_picture():
    out, each = read(), read(combine="each")
    assert out.mask.shape == (2, *SIZE) and out.heat.shape == (2, 8, 6)
    assert torch.equal(out.mask, torch.maximum(each.mask[:2], each.mask[2:]))
    assert torch.equal(out.heat, torch.maximum(each.heat[:2], each.heat[2:]))
    assert torch.equal(out.presence, each.presence)


def test_masks_are_the_rule_on_the_mean_of_all_layers_at_the_latents_size():
    given = captured()
    maps = aggregate(given.layers, (8, 6))
    out = read("cat")
    assert torch.equal(out.mask, mask(maps[:, 0], SIZE, OTSU))
    torch.testing.assert_close(out.heat, maps[:, 0] / maps[:, 0].amax((1, 2), keepdim=True))
    soft = Threshold("log_mean", 0.5, 1.0)
    assert torch.equal(read("cat", threshold=soft).mask, mask(maps[:, 0], SIZE, soft))


def test_presence_is_counted_against_the_words_that_are_not_part_of_the_phrase():
    given = captured()
    maps = aggregate(given.layers, (8, 6))
    assert torch.equal(read("cat").presence[0], presence(maps, 0, [1, 2]))
    alone = captured(others={"cat": ("sky",), "dog": ("sky",)})
    assert torch.equal(read("cat", given=alone).presence[0], presence(maps, 0, [2]))
    assert torch.equal(read("sky").presence[0], presence(maps, 2, [0, 1]))  # a content word that nobody asked for


def test_a_phrase_that_is_not_there_is_empty_in_its_picture_alone():
    out = read("dog")
    assert out.presence[0, 0] > 0.12 > out.presence[0, 1] and out.presence[0, 1] < 0.01
    assert square(out.mask[0], 5, 3) and not out.mask[1].any()
    assert out.heat[0].max() == 1 and out.heat[1].max() < 0.1


def test_found_is_the_least_presence_of_a_mask():
    shown = float(read("cat").presence[0, 0])
    assert read("cat", found=shown).mask[0].any() and not read("cat", found=shown + 1e-4).mask[0].any()
    assert float(read("cat", found=2 * shown).heat[0].max()) == pytest.approx(0.5)
    ghost = read("sky", found=0.0)
    assert torch.equal(ghost.mask, read("sky", always=True).mask)


def test_always_makes_a_mask_whatever_the_presence():
    out = read("cat", found=1.0, always=True)
    assert torch.equal(out.mask, read("cat", found=0.0).mask) and out.mask.any()
    assert torch.equal(out.heat.amax((1, 2)), torch.ones(2)) and (out.presence < 1).all()


def test_no_phrase_means_those_that_were_asked_for():
    assert torch.equal(read().mask, read("cat", "dog").mask)


def test_what_was_not_captured_is_told():
    with pytest.raises(ValueError, match="'zebra' was not captured; captured are: cat, dog, sky"):
        read("cat", "zebra")
