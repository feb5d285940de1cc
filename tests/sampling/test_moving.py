"""A picture moved within its frame: exact by whole cells, the edge goes on beyond it, and a mask ends there."""

import pytest
import torch
from pack.sampling.moving import WHOLE, Move, box_of, move_to

CELLS = (6, 8)


def drawn(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(3))


def test_nothing_moved_is_the_picture_itself():
    x = drawn(2, 3, *CELLS)
    assert torch.equal(Move(CELLS).picture(x), x) and torch.equal(Move(CELLS).mask(x), x)


@pytest.mark.parametrize("ratio", [1, 8])
def test_whole_cells_are_an_exact_shift_also_of_pixels(ratio):
    x, move = drawn(1, 4, 6 * ratio, 8 * ratio), Move(CELLS, 1.0, 2, -3)
    found = move.picture(x)
    assert torch.equal(found[..., 2 * ratio :, : 5 * ratio], x[..., : 4 * ratio, 3 * ratio :])
    assert torch.equal(found[..., 0, :], found[..., 2 * ratio, :]) and (found[..., -1] == found[..., 5 * ratio]).all()
    assert move.mask(torch.ones(6, 8)).sum() == 4 * 5 and (move.mask(torch.ones(6, 8))[2:, :5] == 1).all()


def test_half_precision_stays_exact():
    x = drawn(1, 4, *CELLS).half()
    found = Move(CELLS, 1.0, 1, 0).picture(x)
    assert found.dtype == torch.half and torch.equal(found[..., 1:, :], x[..., :5, :])


def test_half_the_size_is_the_mean_and_twice_is_drawn_linearly():
    ramp = torch.arange(8.0).expand(6, 8)
    small = Move(CELLS, 0.5, 0, 2).picture(ramp)
    torch.testing.assert_close(small[0, 2:6], torch.tensor([5 / 7, 2.5, 4.5, 7 - 5 / 7]))  # weights 3, 3, 1 at the edge
    large = Move(CELLS, 2.0, 0, 0).picture(ramp)
    torch.testing.assert_close(large[0, :4], torch.tensor([0.0, 0.25, 0.75, 1.25]))
    assert Move(CELLS, 0.5, 0, 0).mask(torch.ones(CELLS)).sum() == 3 * 4


def test_the_box_of_a_mask_is_its_brighter_half():
    mask = torch.zeros(8, 10)
    mask[2:4, 5:10], mask[0, 0] = 0.8, 0.3
    assert box_of(mask) == (0.25, 0.5, 0.5, 1.0)
    assert box_of(mask * 0) == WHOLE


def test_scale_is_about_the_middle_and_moves_are_rounded():
    own = (0.25, 0.5, 0.5, 1.0)
    assert move_to(CELLS, own, None, 0.0, 0.0, 1.0) == Move(CELLS, 1.0, 0, 0)
    assert move_to(CELLS, own, None, -0.3, 0.25, 1.0) == Move(CELLS, 1.0, 2, -2)  # -2.4 and 1.5 cells
    move = move_to(CELLS, own, None, 0.0, 0.0, 2.0)
    assert 2 * 0.375 * 6 + move.down == 0.375 * 6 and 2 * 0.75 * 8 + move.across == 0.75 * 8


def test_a_place_is_filled_as_far_as_the_shape_allows():
    own, place = (0.25, 0.5, 0.5, 1.0), (0.0, 0.0, 1.0, 0.25)
    move = move_to(CELLS, own, place, 0.0, 0.0, 1.0)
    assert move.scale == 0.5  # its width halves, though there is room below
    assert 0.5 * 0.375 * 6 + move.down == 0.5 * 6 and 0.5 * 0.75 * 8 + move.across == 0.125 * 8
    aside = move_to(CELLS, own, place, 0.5, 0.0, 1.0)
    assert (aside.scale, aside.down, aside.across) == (0.5, move.down, move.across + 4)
    assert move_to(CELLS, own, (0.5, 0.0, 0.75, 0.5), 0.0, 0.0, 1.0) == Move(CELLS, 1.0, 2, -4)
