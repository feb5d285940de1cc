"""Values re-spaced by how far apart their pictures are."""

import pytest
import torch
from pack.sampling.even import even_values, joined, probes, up_to, without_still_ends


def grey(*levels, size=(32, 48)):
    """One plain picture per level, (K, H, W, 3)."""
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, *size, 3)


def seen(values, levels, **how):
    return probes(values, [grey(*levels, **how)])


def test_gaps_are_the_root_mean_square_of_colours():
    given = seen([0, 1, 3], [0.0, 0.25, 1.0])
    assert given.gaps == pytest.approx([0.25, 0.75], abs=1e-6)
    assert given.path == pytest.approx([0.0, 0.25, 1.0], abs=1e-6)


def test_texture_finer_than_a_cell_is_no_difference():
    flat, checks = grey(0.5, size=(64, 64)), torch.zeros(1, 64, 64, 3)
    checks[:, ::2, ::2] = checks[:, 1::2, 1::2] = 1.0
    assert probes([0, 1], [flat, checks]).gaps == pytest.approx([0.0], abs=1e-6)


def test_alpha_and_size_do_not_matter():
    small, large = (seen([0, 1], [0.0, 0.5], size=size).gaps for size in ((7, 5), (300, 200)))
    assert small == pytest.approx([0.5]) and large == pytest.approx([0.5])
    with_alpha = torch.cat([grey(0.0, 0.5), torch.rand(2, 32, 48, 1)], -1)
    assert probes([0, 1], [with_alpha]).gaps == pytest.approx([0.5])


def test_a_list_and_a_batch_are_one():
    batch = grey(0.0, 0.2, 0.9)
    one, two = probes([0, 1, 2], [batch]), probes([0, 1, 2], [batch[:1], batch[1:]])
    assert torch.equal(one.looks, two.looks)


@pytest.mark.parametrize("turn", [1, -1])
def test_steps_are_equal_along_the_path(turn):
    values = [turn * value for value in (0.0, 0.25, 0.5, 1.0)]
    found = even_values(seen(values, [0.0, 0.1, 0.9, 1.0]), 6)
    wanted = [
        0.0,
        0.25 + 0.1 / 0.8 * 0.25,
        0.25 + 0.3 / 0.8 * 0.25,
        0.25 + 0.5 / 0.8 * 0.25,
        0.25 + 0.7 / 0.8 * 0.25,
        1.0,
    ]
    assert found == pytest.approx([turn * value for value in wanted], abs=1e-6)
    assert (found[0], found[-1]) == (values[0], values[-1])


def test_an_even_slider_stays_as_it_is():
    values = [i / 8 for i in range(9)]
    assert even_values(seen(values, values), 9) == pytest.approx(values, abs=1e-6)
    assert even_values(seen([-0.1, 0.7], [0.0, 1.0]), 2) == [-0.1, 0.7]


def test_still_ends_are_left_out_and_a_still_middle_is_not():
    levels = [0.0, 0.01, 0.3, 0.31, 0.6, 0.61, 0.62]
    kept = without_still_ends(seen(range(7), levels), 0.05)
    assert kept.values == (1, 2, 3, 4) and len(kept.looks) == 4
    assert without_still_ends(seen(range(7), levels), 0.0).values == tuple(range(7))
    assert without_still_ends(seen(range(7), levels), 0.03).values == tuple(range(7))


def test_the_limit_ends_before_the_first_picture_beyond_it():
    given = seen(range(5), [0.0, 0.2, 0.4, 0.6, 0.1])
    assert up_to(given, 0.5).values == (0, 1, 2)
    assert up_to(given, 0.0) is given and up_to(given, 0.7) is given
    with pytest.raises(ValueError, match="value 1 is 0.200 from the first one, beyond the limit of 0.1"):
        up_to(given, 0.1)


@pytest.mark.parametrize("turn", [1, -1])
def test_earlier_pictures_join_in_the_order_of_the_values(turn):
    first = seen([0.0, turn * 1.0, turn * 2.0], [0.0, 0.1, 0.9])
    both = joined(first, seen([turn * 1.0, turn * 1.5, turn * 2.0], [0.1, 0.8, 0.9]))
    assert both.values == (0.0, turn * 1.0, turn * 1.5, turn * 2.0)
    assert both.gaps == pytest.approx([0.1, 0.7, 0.1], abs=1e-6)


def test_a_second_look_resolves_a_cliff():
    """A jump at 0.37 of a value 0..1: after each look the steps are more alike."""

    def picture(value):
        return 0.1 * value + 0.9 * torch.sigmoid(torch.tensor(400 * (value - 0.37))).item()

    values = [i / 8 for i in range(9)]
    given, worst = seen(values, map_(picture, values)), []
    for _ in range(4):
        values = even_values(given, 9)
        new = seen(values, map_(picture, values))
        worst.append(max(new.gaps))
        given = joined(given, new)
    assert worst == sorted(worst, reverse=True) and worst[0] > 0.5 and worst[-1] < 0.16


def map_(picture, values):
    return [picture(value) for value in values]


@pytest.mark.parametrize(
    ("values", "levels", "said"),
    [
        ([0.5], [0.1], "One picture has no neighbour"),
        ([0, 1, 2], [0.1, 0.2], "There are 3 values for 2 pictures"),
        ([0], [0.1, 0.2], "There are 1 value for 2 pictures"),
        ([0, 1, 0.5], [0.1, 0.2, 0.3], "The values 0, 1, 0.5 turn back or repeat"),
        ([0, 1, 1], [0.1, 0.2, 0.3], "turn back or repeat"),
    ],
)
def test_what_cannot_be_spaced_is_refused(values, levels, said):
    with pytest.raises(ValueError, match=said):
        seen(values, levels)


def test_pictures_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="differ in size"):
        probes([0, 1], [grey(0.1), grey(0.2, size=(8, 8))])


def test_pictures_that_are_all_alike_are_refused():
    with pytest.raises(ValueError, match="All pictures are alike"):
        even_values(without_still_ends(seen([0, 1, 2], [0.5] * 3), 0.05), 9)


def test_another_seed_is_noticed():
    with pytest.raises(ValueError, match="value 1 is another one than before"):
        joined(seen([0, 1], [0.0, 0.3]), seen([0.5, 1], [0.1, 0.9]))


def test_another_shape_is_refused_also_where_no_value_is_in_both():
    for values in ([0.5, 1], [0.3, 0.6]):
        with pytest.raises(ValueError, match="another shape than those before"):
            joined(seen([0, 1], [0.0, 0.3]), seen(values, [0.1, 0.3], size=(32, 96)))
