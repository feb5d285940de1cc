"""Masks of drawn regions: areas, edges, round brushes, soft edges."""

import math

import pytest
import torch

SIZES = [(512, 512), (384, 640), (96, 64)]


@pytest.fixture
def mask(comfy):
    from pack.nodes.drawing.raster import rasterise
    from pack.nodes.drawing.shapes import Drawn

    return lambda size, kind="", points=(), **more: rasterise(Drawn("a", kind, points, **more), *size)


@pytest.fixture
def stroke(comfy):
    from pack.nodes.drawing.shapes import Stroke

    return Stroke


@pytest.mark.parametrize("size", SIZES)
def test_areas_are_right(mask, size):
    height, width = size
    corners = ((0.1, 0.2), (0.55, 0.9))
    assert mask(size, "box", corners).mean() == pytest.approx(0.45 * 0.7, rel=0.01)
    assert mask(size, "ellipse", corners).mean() == pytest.approx(0.45 * 0.7 * math.pi / 4, rel=0.01)
    assert mask(size, "polygon", ((0.1, 0.1), (0.9, 0.2), (0.3, 0.8))).mean() == pytest.approx(0.27, rel=0.01)


def test_a_box_lies_where_it_was_drawn_and_cuts_pixels(mask):
    made = mask((8, 8), "box", ((0.25, 0.5), (0.5625, 1.0)))
    expected = torch.zeros(8, 8)
    expected[4:, 2:4], expected[4:, 4] = 1, 0.5
    assert torch.equal(made, expected)


def test_what_lies_outside_the_picture_does_not_count(mask):
    assert torch.equal(mask((16, 16), "box", ((-1, -1), (2, 2))), torch.ones(16, 16))
    assert not mask((16, 16), "box", ((1.2, 0), (2, 1))).any()
    assert mask((64, 64), "ellipse", ((0.5, 0), (1.5, 1))).mean() == pytest.approx(math.pi / 8, rel=0.01)


def test_a_loop_that_crosses_itself_counts_on_both_sides(mask):
    bow = ((0, 0), (1, 1), (1, 0), (0, 1))
    assert mask((64, 64), "polygon", bow).mean() == pytest.approx(0.5, rel=0.01)
    twice = ((0, 0), (1, 0), (1, 1), (0, 1)) * 2
    assert torch.equal(mask((16, 16), "polygon", twice), torch.ones(16, 16))


@pytest.mark.parametrize("size", SIZES)
def test_a_brush_is_round_in_any_picture(mask, stroke, size):
    side = min(size)
    dot = mask(size, strokes=(stroke(((0.5, 0.5),), 0.5),))
    assert dot.sum() == pytest.approx(math.pi * (side / 4) ** 2, rel=0.01)
    height = (dot.amax(1) > 0.5).sum(), (dot.amax(0) > 0.5).sum()
    assert abs(height[0] - height[1]) <= 1


@pytest.mark.parametrize("size", SIZES[:2])
def test_a_line_drawn_there_and_back_is_one_line(mask, stroke, size):
    line = mask(size, strokes=(stroke(((0.4, 0.5), (0.6, 0.5), (0.4, 0.5)), 0.2),))
    side = min(size)
    assert line.sum() == pytest.approx(0.2 * size[1] * 0.2 * side + math.pi * (side / 10) ** 2, rel=0.01)


def test_strokes_add_and_erase_in_their_order(mask, stroke):
    whole = ((0, 0), (1, 1))
    hole = stroke(((0.5, 0.5),), 0.5, True)
    rest = 1 - math.pi / 16
    assert mask((256, 256), "box", whole, strokes=(hole,)).mean() == pytest.approx(rest, rel=0.01)
    again = stroke(((0.5, 0.5),), 0.25)
    made = mask((256, 256), "box", whole, strokes=(hole, again)).mean()
    assert made == pytest.approx(rest + math.pi / 64, rel=0.01)
    assert mask((256, 256), "box", whole, strokes=(again, hole)).mean() == pytest.approx(rest, rel=0.01)


def test_a_soft_edge_rises_over_its_width_and_keeps_the_border(mask):
    hard, soft = (mask((256, 256), "box", ((0, 0), (0.5, 1)), soft=width)[128] for width in (0.0, 0.25))
    assert hard.unique().tolist() == [0, 1]
    assert soft.mean() == pytest.approx(0.5, rel=0.01) and soft[127] + soft[128] == pytest.approx(1, abs=1e-4)
    assert soft[0] == soft[90] == 1 and soft[165] == soft[255] == 0  # 64 pixels around the middle
    assert 0.9 > soft[112] > 0.6 and (soft.diff() <= 1e-6).all()


def test_no_region_is_one_black_mask(comfy):
    from pack.nodes.drawing.raster import masked

    regions, masks = masked([], 24, 32)
    assert regions == [] and masks.shape == (1, 24, 32) and not masks.any()
