"""Where a schedule is cut, and how strongly the picture comes back."""

import pytest
import torch
from pack.sampling.cuts import CURVES, blend, curve_mask, cut_indices, percent_of, points

EVEN = [0.0, 0.25, 0.5, 0.75, 1.0]
UNEVEN = [0.0, 0.02, 0.1, 0.15, 0.3, 0.32, 0.6, 0.61, 0.9, 1.0]


def test_points_hold_both_ends():
    assert points(0.1, 0.6, 1) == [0.1]
    assert points(0.1, 0.6, 2) == [0.1, 0.6]
    assert points(0.0, 1.0, 5) == pytest.approx(EVEN)


@pytest.mark.parametrize("percent", [0.001, 0.26, 0.5, 0.999])
@pytest.mark.parametrize(
    "to_sigma", [lambda p: 1 - p, lambda p: 14.6 * (1 - p) ** 7, lambda p: (1 - p) / (0.2 + 0.8 * p)]
)
def test_percent_of_undoes_percent_to_sigma(percent, to_sigma):
    assert percent_of(to_sigma(percent), to_sigma) == pytest.approx(percent, abs=1e-9)
    assert percent_of(to_sigma(0.0) + 1, to_sigma) == pytest.approx(0.0, abs=1e-9)
    assert percent_of(0.0, to_sigma) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([0.0], {0: 0}),
        ([0.25], {1: 0}),
        ([0.2491], {1: 0}),  # 0.25 in three digits, or at the timestep before
        ([0.2485], {0: 0}),
        ([0.49], {1: 0}),
        ([0.9], {3: 0}),
        ([1.0], {}),
        ([0.0, 0.5], {0: 0, 2: 1}),
        ([0.5, 0.6, 0.7], {2: 2}),
        (points(0.0, 1.0, 16), {0: 3, 1: 7, 2: 11, 3: 14}),
    ],
)
def test_a_point_is_due_at_the_step_it_lies_in(wanted, found):
    assert cut_indices(EVEN, wanted) == found


def test_a_run_that_ends_for_good_has_its_last_point_in_its_last_step():
    assert cut_indices([0.5, 0.75, float("inf")], [0.6, 0.9, 1.0]) == {0: 0, 1: 2}


def test_points_before_the_run_and_without_steps_are_not_due():
    assert cut_indices(EVEN[2:], [0.0, 0.3, 0.49]) == {}
    assert cut_indices(EVEN[2:], [0.3, 0.5]) == {0: 1}
    assert cut_indices([1.0], [0.5, 1.0]) == {}


def test_first_moves_early_points_and_drops_what_would_end_the_run():
    assert cut_indices(EVEN, [0.0, 0.1], first=1) == {1: 1}
    assert cut_indices(EVEN, [0.0, 0.3], first=1) == {1: 1}
    assert cut_indices([0.0, 1.0], [0.0], first=1) == {}


@pytest.mark.parametrize("cut", range(1, 9))
@pytest.mark.parametrize("count", [1, 7, 16])
def test_two_runs_in_a_row_serve_each_point_once(cut, count):
    wanted = points(0.0, 0.99, count)
    parts = [cut_indices(UNEVEN[: cut + 1], wanted), cut_indices(UNEVEN[cut:], wanted)]
    shifted = {**parts[0], **{index + cut: number for index, number in parts[1].items()}}
    assert shifted == cut_indices(UNEVEN, wanted) and len(shifted) == len(parts[0]) + len(parts[1])


def test_curves():
    mask = torch.tensor([0.0, 0.2, 0.5, 0.8, 1.0])
    assert CURVES == ("constant", "fade out", "widen")
    assert torch.equal(curve_mask(mask, "constant", 2, 4), mask)
    assert [float(curve_mask(mask, "fade out", i, 4)[-1]) for i in range(4)] == [1.0, 0.75, 0.5, 0.25]
    widened = [curve_mask(mask, "widen", i, 4).tolist() for i in range(4)]
    kept = [[4, 3], [4, 3], [4, 3, 2], [4, 3, 2, 1]]
    rows = [[value if place in places else 0.0 for place, value in enumerate(mask.tolist())] for places in kept]
    assert widened == rows


def test_blend_is_exact_at_both_ends_and_straight_between():
    state, cached = torch.randn(2, 3, 50, generator=torch.Generator().manual_seed(0))
    weight = torch.zeros(3, 50)
    weight[1], weight[2] = 1.0, 0.25
    out = blend(state, cached, weight)
    assert torch.equal(out[0], state[0]) and torch.equal(out[1], cached[1])
    torch.testing.assert_close(out[2], 0.75 * state[2] + 0.25 * cached[2])
