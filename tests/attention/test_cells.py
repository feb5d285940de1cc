"""cells: closed forms at any size, and regions that never vanish."""

import pytest
import torch
from pack.attention.cells import cells


def blank(height: int = 512, width: int = 512) -> torch.Tensor:
    return torch.zeros(1, height, width)


@pytest.mark.parametrize("side", [64, 32, 16, 8])
def test_a_half_plane_is_half_of_the_rows(side):
    mask = blank()
    mask[:, :256] = 1
    half = cells(mask, (side, side))
    assert half.shape == (1, side, side)
    assert (half[:, : side // 2] == 1).all() and (half[:, side // 2 :] == 0).all()


@pytest.mark.parametrize(
    "size, grid", [((13, 17), (5, 3)), ((136, 104), (17, 13)), ((31, 7), (31, 7)), ((5, 9), (8, 4))]
)
def test_each_cell_is_the_mean_of_the_pixels_it_touches(size, grid):
    mask = torch.rand(2, *size, generator=torch.Generator().manual_seed(1))
    (height, width), (h, w) = size, grid
    got = cells(mask, grid)
    for y in range(h):
        for x in range(w):
            rows = slice(y * height // h, -(-(y + 1) * height // h))
            columns = slice(x * width // w, -(-(x + 1) * width // w))
            assert torch.allclose(got[:, y, x], mask[:, rows, columns].mean((1, 2)), atol=1e-6)


def test_enlarging_by_a_whole_factor_repeats_pixels():
    mask = torch.tensor([[[0.0, 1.0], [0.25, 0.5]]])
    assert torch.equal(cells(mask, (6, 4)), mask.repeat_interleave(3, 1).repeat_interleave(2, 2))


@pytest.mark.parametrize("grid", [(64, 64), (8, 8), (7, 5), (1, 1)])
@pytest.mark.parametrize("value", [1.0, 0.3])
def test_a_dot_keeps_its_cell_and_its_peak(grid, value):
    mask = blank()
    mask[0, 300, 100] = value
    kept = cells(mask, grid)
    assert kept[0, 300 * grid[0] // 512, 100 * grid[1] // 512] == value
    assert (kept > 0).sum() == 1


@pytest.mark.parametrize("grid", [(64, 64), (16, 16), (9, 11)])
def test_a_thin_stroke_stays_on_its_line(grid):
    mask = blank()
    mask[0, 200] = 1
    stroke = cells(mask, grid)
    line = 200 * grid[0] // 512
    assert stroke.max() == 1 and (stroke[0, line] > 0).all()
    assert stroke.count_nonzero() == grid[1]


def test_a_cell_of_half_the_peak_is_left_as_it_is():
    mask = blank(4, 4)
    mask[0, :2, 0] = 0.8
    assert torch.equal(cells(mask, (2, 2)), torch.tensor([[[0.4, 0], [0, 0]]]))
    mask[0, 1, 0] = 0.7  # 0.375, below half of 0.8
    assert torch.equal(cells(mask, (2, 2)), torch.tensor([[[0.8, 0], [0, 0]]]))


def test_pictures_of_a_batch_are_kept_one_by_one():
    mask = torch.zeros(3, 64, 64)
    mask[1, 5, 5] = 1
    mask[2] = 0.25
    kept = cells(mask, (4, 4))
    assert (kept[0] == 0).all()
    assert kept[1, 0, 0] == 1 and kept[1].sum() == 1
    assert (kept[2] == 0.25).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.uint8])
def test_float32_whatever_comes_in_and_the_mask_stays(dtype):
    mask = torch.zeros(1, 9, 9, dtype=dtype)
    mask[0, 4, 4] = 1
    before = mask.clone()
    assert cells(mask, (2, 2)).dtype == torch.float32
    assert torch.equal(mask, before)
