"""Value Sweep and Labelled Grid."""

import pytest
import torch

pytest.importorskip("PIL")


@pytest.fixture
def nodes(comfy):
    from pack.nodes import compare

    return compare


@pytest.fixture
def grid(comfy):
    from pack.nodes.pictures import grid

    return grid


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (-0.7, 0.1), (0.3, -2.0), (0.1, 0.7), (5.0, 5.0)])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
def test_sweep_includes_both_ends_exactly(nodes, start, end, count):
    values = nodes.sweep(start, end, count)
    assert len(values) == count and values[0] == start
    assert count == 1 or values[-1] == end
    assert values == pytest.approx(torch.linspace(start, end, count, dtype=torch.float64).tolist(), abs=1e-12)


def test_sweep_gives_the_decimals_a_user_expects(nodes):
    assert nodes.sweep(0.0, 1.0, 11) == [i / 10 for i in range(11)]


def test_sweep_node_gives_lists_the_host_maps_over(nodes):
    done = nodes.ValueSweep.execute(-0.001, 1.0, 3, "theta ", 2)
    values, labels = done.result
    assert values == [-0.001, 0.4995, 1.0]
    assert labels == ["theta 0.00", "theta 0.50", "theta 1.00"]
    assert done.ui.as_dict() == {"text": ("theta 0.00, theta 0.50, theta 1.00",)}
    assert nodes.ValueSweep.GET_SCHEMA().has_intermediate_output
    assert [output.is_output_list for output in nodes.ValueSweep.GET_SCHEMA().outputs] == [True, True]
    assert nodes.LabelledGrid.GET_SCHEMA().is_input_list


def tile(value, height=8, width=8, channels=3):
    return torch.full((1, height, width, channels), value)


def test_pictures_come_out_unchanged_and_in_order(grid):
    images = [torch.rand(2, 6, 10, 3), torch.rand(1, 6, 10, 3)]
    sheet = grid.draw_grid(images, [], style=grid.GridStyle(columns=2, gap=3, scale=2))
    assert sheet.shape == (1, 3 + 12 + 3 + 12 + 3, 3 + 20 + 3 + 20 + 3, 3)
    large = torch.cat(images).repeat_interleave(2, 1).repeat_interleave(2, 2)
    for n, (y, x) in enumerate([(3, 3), (3, 26), (18, 3)]):
        assert torch.equal(sheet[0, y : y + 12, x : x + 20], large[n])
    assert (sheet[0, 18:, 26:] == 1).all() and (sheet[0, :3] == 1).all()


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (5, 5), (8, 8), (9, 3), (10, 4), (17, 5)])
def test_columns_by_default(grid, count, columns):
    sheet = grid.draw_grid([tile(0.5)] * count, [], style=grid.GridStyle(gap=0, scale=1))
    assert sheet.shape == (1, 8 * -(-count // columns), 8 * columns, 3)


@pytest.mark.parametrize(("width", "wide"), [(128, 256), (100, 300), (256, 256), (512, 512), (8, 256)])
def test_small_pictures_are_enlarged_by_whole_pixels(grid, width, wide):
    image = torch.rand(1, 4, width, 3)
    sheet = grid.draw_grid([image], [], style=grid.GridStyle(gap=0))
    factor = wide // width
    assert torch.equal(sheet, image.repeat_interleave(factor, 1).repeat_interleave(factor, 2))


def test_other_sizes_and_channels_are_centred(grid):
    sheet = grid.draw_grid([tile(0.25, 8, 8, 1), tile(0.5, 4, 2, 4)], [], style=grid.GridStyle(gap=0, scale=1))
    assert sheet.shape == (1, 8, 16, 3)
    assert (sheet[0, :, :8] == 0.25).all() and (sheet[0, 2:6, 11:13] == 0.5).all()
    assert sheet[0, :, 8:].lt(1).sum() == 4 * 2 * 3


def text_of(sheet, left, right):
    """Columns and rows between `left` and `right` that hold ink."""
    ink = sheet[0, :, left:right].lt(0.9).any(-1)
    return ink.any(1), ink.any(0)


def test_each_label_stands_above_its_own_picture(grid):
    images, style = [tile(1.0, 64, 256)] * 2, grid.GridStyle(gap=8)
    sheet = grid.draw_grid(images, ["theta 0.50", ""], style=style)
    assert sheet.shape[1] > 64 + 2 * 8
    rows, columns = text_of(sheet, 8, 264)
    assert rows[: -64 - 8].any() and not rows[-64 - 8 :].any()
    inked = columns.nonzero().flatten()
    assert abs((inked[0] + inked[-1]).item() / 2 - 128) < 4  # centred
    assert not text_of(sheet, 264, 528)[0].any()


def test_no_label_is_cut_off(grid):
    long = "a label that is much longer than its tile is wide " + "x" * 90
    style = grid.GridStyle(gap=8)
    sheet = grid.draw_grid([tile(1.0, 64, 256)], [long], "A title, too, that needs more than a line here", style)
    alone = grid.draw_grid([tile(1.0, 64, 256)], [], style=style)
    assert sheet.shape[1] > alone.shape[1] + 5 * 18
    ink = sheet[0].lt(0.9).any(-1)
    assert not ink[:, :6].any() and not ink[:, -6:].any() and not ink[:6].any() and not ink[-72:].any()


def test_wrapping_keeps_every_letter_and_fits(grid):
    from PIL import ImageFont

    font = ImageFont.load_default(18)
    text = "one two-three " + "w" * 70 + " end\nnext"
    lines = grid.wrap(text, font, 200)
    assert "".join(lines).replace(" ", "") == "".join(text.split())
    assert all(font.getlength(line) <= 200 for line in lines) and lines[-1] == "next"


def test_labels_from_a_list_or_from_lines(nodes, grid):
    assert grid.label_lines(["a", "b"]) == ["a", "b"]
    assert grid.label_lines(["a\n\nc\n"]) == ["a", "", "c"]
    assert grid.label_lines([""]) == []
    plain = nodes.LabelledGrid.execute([tile(0.5)] * 2, [0], [8], [0], [0], ["a\nb"], [""]).result[0]
    listed = nodes.LabelledGrid.execute([tile(0.5)] * 2, [0], [8], [0], [0], ["a", "b"], [""]).result[0]
    assert torch.equal(plain, listed)


def test_too_many_labels_are_refused(grid):
    with pytest.raises(ValueError, match="3 labels for 2 pictures"):
        grid.draw_grid([tile(0.5)] * 2, ["a", "b", "c"])


def test_a_grid_of_nothing_is_told(nodes):
    with pytest.raises(ValueError, match="There is no picture to show; connect one or more"):
        nodes.LabelledGrid.execute([], [0], [8], [0], [0])
