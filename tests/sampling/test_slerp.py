"""slerp: SOURCES 004's numbers, closed forms, exact ends, degenerate vectors."""

import math

import pytest
import torch
from pack.sampling.slerp import MODES, angle, limit_norm, move, nlerp, norm, slerp

N = torch.arange(112, dtype=torch.float64)
X1 = torch.sin(0.21 * N + 0.3).reshape(1, 7, 16)
X2 = 1.5 * torch.sin(0.33 * N + 1.1).reshape(1, 7, 16)
GLOBAL = {0: (3.952923, 56.817352), 0.25: (2.937518, 67.488401), 0.5: (1.505010, 91.547232), 1: (-1.767357, 126.995945)}
UNCLIP = 1.497930  # sum that diffusers' unclip_text_interpolation gives at 0.5; its angle is no angle


@pytest.mark.parametrize("theta", GLOBAL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_published_global_numbers(theta, dtype):
    moved = move(X1.to(dtype), X2.to(dtype), theta, "global")
    assert moved.sum().item() == pytest.approx(GLOBAL[theta][0], abs=1e-5)
    assert moved.square().sum().item() == pytest.approx(GLOBAL[theta][1], rel=1e-6)


@pytest.mark.parametrize("limit", [0, 1.5])
def test_published_per_token_numbers(limit):
    moved = move(X1, X2, 0.5, "per_token", limit)
    assert moved.sum().item() == pytest.approx(0.968558, abs=1e-5)
    assert moved.square().sum().item() == pytest.approx(110.493999, rel=1e-6, abs=1e-4)


def test_the_published_wrong_number_is_not_ours():
    assert abs(move(X1, X2, 0.5, "global").sum().item() - UNCLIP) > 5e-3


def test_closed_form_quarter_circle():
    a, b = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.0, 1.0]]])
    for theta in (-1.0, -0.3, 0.25, 0.5, 0.9, 1.7):
        w = theta * math.pi / 2
        assert torch.allclose(slerp(a, b, theta), torch.tensor([math.cos(w), math.sin(w)]), atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_ends_are_exact(mode):
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        a, b = X1.to(dtype), X2.to(dtype)
        assert move(a, b, 0, mode, 1.0) is a
        assert torch.equal(move(a, b, 1, mode, 1.0), b)


@pytest.mark.parametrize("theta", [0.0, 1.0])
def test_the_formula_itself_ends_exactly(theta):
    assert torch.equal(slerp(X1.float(), X2.float(), theta), (X1, X2)[int(theta)].float())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("theta", [-2.0, -0.2, 0.2, 0.5, 2.0])
def test_no_direction_changes_nothing(mode, theta):
    assert torch.equal(move(X1.float(), X1.float(), theta, mode), X1.float())


def test_unit_vectors_stay_unit_vectors():
    a, b = X1 / norm(X1), X2 / norm(X2)
    for theta in (-1.5, -0.2, 0.3, 0.5, 1.5):
        assert torch.allclose(norm(slerp(a, b, theta)), torch.ones(1, 7, 1, dtype=torch.float64), atol=1e-12)
        assert torch.allclose(norm(nlerp(a, b, theta)), torch.ones(1, 7, 1, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("dims", [(-1,), (-2, -1)])
def test_both_ways_are_one_path(dims):
    for theta in (0.1, 0.4, 0.8):
        assert torch.allclose(slerp(X1, X2, theta, dims), slerp(X2, X1, 1 - theta, dims), atol=1e-12)


@pytest.mark.parametrize("theta", [-0.7, 0.2, 0.6])
def test_small_directions_add_up_to_first_order(theta):
    v = torch.cos(N).reshape(1, 7, 16)
    error = [(slerp(X1, X1 + s * v, theta) - (X1 + theta * s * v)).abs().max().item() for s in (1e-2, 1e-3)]
    assert error[0] < 1e-4
    assert error[0] / error[1] == pytest.approx(100, rel=0.05)  # what is left is second order in v


def test_the_per_token_angle_differs_from_the_global_one():
    assert not torch.allclose(slerp(X1, X2, 0.5), slerp(X1, X2, 0.5, (-2, -1)), atol=0.05)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("theta", [-2.0, -0.5, 0.2, 0.5, 0.7, 2.0])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_degenerate_tokens_stay_finite(mode, theta, dtype):
    a = X1[0, 0].to(dtype).expand(1, 7, 16).clone()
    factors = torch.tensor([1.0, 2.0, -1.0, -0.5, 0.0, 1.0001, -1.0001], dtype=dtype)
    b = a * factors[None, :, None]
    a[0, 5] = 0
    for first, second in ((a, b), (b, a), (torch.zeros_like(a), b), (a, torch.zeros_like(a)), (a, -a)):
        moved = move(first, second, theta, mode)
        assert moved.dtype == dtype and torch.isfinite(moved).all()


def test_opposite_parallel_and_zero_tokens_take_the_straight_line():
    a = X1.float()
    for b in (-a, -2 * a, 3 * a, torch.zeros_like(a)):
        assert torch.allclose(slerp(a, b, 0.25), torch.lerp(a, b, 0.25), atol=1e-6)


def test_angle_is_exact_where_acos_is_not():
    a = torch.tensor([[1.0, 0.0]])
    for w in (1e-5, 1e-3, 1.0, 3.0, math.pi - 1e-3):
        b = torch.tensor([[math.cos(w), math.sin(w)]], dtype=torch.float64)
        assert angle(a.double(), b).item() == pytest.approx(w, rel=1e-9)
    assert angle(a, a).item() == 0


@pytest.mark.parametrize("mode", MODES)
def test_norm_limit_holds_and_spares_what_is_shorter(mode):
    a, b = X1.float(), X2.float()
    free, capped = move(a, b, 2.0, mode, 0), move(a, b, 2.0, mode, 1.0)
    cap = torch.maximum(norm(a), norm(b))
    assert (norm(capped) <= cap * 1.000001).all()
    inside = (norm(free) <= cap).expand_as(free)
    assert torch.equal(free[inside], capped[inside])
    assert (norm(limit_norm(free * 9, a, b, 1.5)) <= 1.5 * cap * 1.000001).all()


def test_lerp_is_the_line_and_nlerp_keeps_its_direction():
    line = X1 + 0.3 * (X2 - X1)
    assert torch.allclose(move(X1, X2, 0.3, "lerp"), line)
    bent = move(X1, X2, 0.3, "nlerp")
    assert torch.allclose(norm(bent), 0.7 * norm(X1) + 0.3 * norm(X2))
    assert torch.allclose(bent / norm(bent), line / norm(line))


def test_items_of_a_batch_do_not_touch_each_other():
    a, b = torch.cat([X1, X2 * 3]).float(), torch.cat([X2, X1]).float()
    for mode in MODES:
        assert torch.equal(move(a, b, 0.4, mode)[:1], move(a[:1], b[:1], 0.4, mode))
