"""P^n A_cross, P the squares of A_self."""

import torch
from pack.attention.refine import refine


def mixing(b, tokens, seed=0):
    return torch.rand(b, tokens, tokens, generator=torch.Generator().manual_seed(seed)).softmax(-1)


def test_zero_rounds_change_nothing():
    maps = torch.rand(2, 3, 9, 5)
    assert refine(maps, mixing(2, 16), (4, 4), 0) is maps


def test_closed_form_and_rows_of_the_squares_are_normalised():
    maps, own = torch.rand(2, 3, 2, 3), mixing(2, 6)
    sharp = own.double() ** 2 / (own.double() ** 2).sum(2, keepdim=True)
    expected = torch.stack([torch.linalg.matrix_power(sharp[i], 3) @ maps[i].flatten(1).double().T for i in range(2)])
    expected = expected.transpose(1, 2).reshape(2, 3, 2, 3).float()
    torch.testing.assert_close(refine(maps, own, (2, 3), 3), expected)
    torch.testing.assert_close(refine(maps, own * 7, (2, 3), 3), expected)


def test_a_pixel_takes_what_it_looks_at():
    """Every pixel looks at pixel 1 alone; the transposed product would move everything there instead."""
    own = torch.zeros(1, 4, 4)
    own[:, :, 1] = 1
    maps = torch.tensor([[[[1.0, 5.0], [2.0, 3.0]]]])
    assert torch.equal(refine(maps, own, (2, 2), 1), torch.full((1, 1, 2, 2), 5.0))


def test_other_grids_are_resized():
    maps = torch.rand(1, 2, 8, 6)
    same = torch.eye(12)[None]
    torch.testing.assert_close(refine(maps, same, (4, 3), 2), torch.nn.functional.avg_pool2d(maps, 2))
