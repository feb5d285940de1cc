"""The region bias: source 003's numbers, closed forms, explicit loops, exact off."""

import math

import pytest
import torch
import torch.nn.functional as F
from pack.attention.bias import (
    FUNCTIONS,
    Placed,
    dense_diffusion,
    paint_with_words,
    repeat_tokens,
    spatial_control,
    weigh,
)
from pack.attention.cells import cells
from pack.attention.scores import joint_logit_std, logit_std
from pack.attention.strength import schedule_position


def waves(scale, step, shift, tokens):
    n = torch.arange(2 * 2 * tokens * 4, dtype=torch.float32)
    return scale * torch.sin(step * n + shift).reshape(2, 2, tokens, 4)


def span(first, last, queries=16):
    mask = torch.zeros(1, queries)
    mask[:, first : last + 1] = 1
    return mask


Q, K, V = waves(2, 0.37, 0.1, 16), waves(2, 0.23, 0.7, 8), waves(1, 0.11, 0.3, 8)
SCORES = Q @ K.mT / 2
REGIONS = (Placed(span(0, 7), (2,), 0.5, 0.2), Placed(span(4, 11), (5,), 0.8, 0.0))
GOLDEN = {  # SOURCES 3.6, what source 003's own function gives: sum, sum of magnitudes, of squares, first
    0: (30.228008, 103.438845, 65.891313, 0.177837),
    1: (31.269945, 104.616248, 66.117976, 0.210616),
    5: (37.074391, 122.442173, 80.982320, 0.914742),
}
ALL = pytest.mark.parametrize("name", FUNCTIONS)


def attend(bias):
    return (SCORES + bias).softmax(-1) @ V


def test_published_spread():
    assert joint_logit_std(Q, K).item() == pytest.approx(3.607379, abs=1e-6)


@pytest.mark.parametrize("sigma", GOLDEN)
def test_published_numbers(sigma):
    out = attend(spatial_control(Q, K, weigh(REGIONS, 8), sigma, joint_logit_std(Q, K)))
    got = (out.sum(), out.abs().sum(), out.square().sum(), out.flatten()[0])
    assert [x.item() for x in got] == pytest.approx(GOLDEN[sigma], rel=1e-6, abs=1e-5)


def test_published_attention_inside_and_outside():
    def mean(sigma, rows):
        bias = spatial_control(Q, K, weigh(REGIONS, 8), sigma, joint_logit_std(Q, K))
        return (SCORES + bias).softmax(-1)[:, :, rows, 2].mean().item()

    inside, outside = slice(0, 8), slice(8, 16)
    assert [mean(0, inside), mean(5, inside)] == pytest.approx([0.115, 0.517], abs=5e-4)
    assert [mean(0, outside), mean(5, outside)] == pytest.approx([0.110, 0.003], abs=5e-4)


def test_closed_form_softmax():
    w = torch.zeros(16, 8)
    w[:8, 2], w[8:, 2], w[4:12, 5] = 0.5, -0.2, 0.8
    out = attend(spatial_control(Q, K, weigh(REGIONS, 8), 5.0))
    assert torch.equal(out, attend(spatial_control(Q, K, weigh(REGIONS, 8), 5.0, logit_std(Q, K))))
    for row in range(2):
        expected = (SCORES[row] + 5 * SCORES[row].std() * w).softmax(-1) @ V[row]
        assert torch.allclose(out[row], expected, atol=1e-6)


@ALL
@pytest.mark.parametrize("ratio, strength, outside", [(0.0, 0.5, 0.2), (5.0, 0.0, 0.0)])
def test_off_is_exact(name, ratio, strength, outside):
    weights = weigh([Placed(span(0, 7), (2,), strength, outside)], 8)
    bias = FUNCTIONS[name](Q, K, weights, ratio)
    assert (bias == 0).all()
    assert torch.equal(attend(bias), SCORES.softmax(-1) @ V)
    masked = F.scaled_dot_product_attention(Q, K, V, attn_mask=bias)
    assert torch.allclose(masked, F.scaled_dot_product_attention(Q, K, V), atol=1e-6)


def test_half_planes_of_every_resolution():
    mask = torch.zeros(1, 512, 512)
    mask[:, :256] = 1
    for side in (64, 32, 16, 8):
        weights = weigh([Placed(cells(mask, (side, side)).flatten(1), (3, 4), 0.5, 0.2)], 77)
        w = weights.inside - weights.outside
        half = side * side // 2
        assert torch.equal(w[0, :half, 3:5], torch.full((half, 2), 0.5))
        assert torch.equal(w[0, half:, 3:5], torch.full((half, 2), -0.2))
        assert w[..., [0, 1, 2, *range(5, 77)]].count_nonzero() == 0


def test_overlaps_and_shared_tokens_add():
    one, two = Placed(span(0, 7), (2, 3), 0.5, 0.25), Placed(span(4, 11), (3, 4), 1.0, 0.5)
    both, alone = weigh([one, two], 8), [weigh([region], 8) for region in (one, two)]
    for field in ("inside", "outside", "inside_small", "outside_small"):
        assert torch.equal(getattr(both, field), getattr(alone[0], field) + getattr(alone[1], field))
    assert both.inside[0, 5].tolist() == [0, 0, 0.5, 1.5, 1.0, 0, 0, 0]
    assert both.outside[0, 15].tolist() == [0, 0, 0.25, 0.75, 0.5, 0, 0, 0]


def test_a_phrase_twice_in_the_prompt_is_biased_at_both():
    w = weigh([Placed(span(0, 7), (1, 6), 0.5, 0.0)], 8).inside
    assert (w[0, :8, [1, 6]] == 0.5).all() and w.count_nonzero() == 16


def test_strength_zero_pushes_out_only():
    bias = spatial_control(Q, K, weigh([Placed(span(0, 7), (2,), 0.0, 1.0)], 8), 5.0)
    assert (bias[:, :, :8] == 0).all() and (bias[:, :, 8:, 2] < 0).all()


@ALL
def test_one_mask_for_all_rows_equals_one_each(name):
    many = weigh([REGIONS[0], Placed(span(4, 11).expand(2, -1), (5,), 0.8, 0.0)], 8)
    assert len(many.inside) == 2
    once = FUNCTIONS[name](Q, K, weigh(REGIONS, 8), 5.0)
    assert once.shape[0] == 2 and torch.equal(once, FUNCTIONS[name](Q, K, many, 5.0))


@ALL
def test_a_row_never_depends_on_its_neighbours(name):
    weights = weigh(REGIONS, 8)
    assert torch.equal(FUNCTIONS[name](Q, K, weights, 5.0)[:1], FUNCTIONS[name](Q[:1], K[:1], weights, 5.0))


@ALL
def test_attention_rises_with_strength_and_falls_with_outside(name):
    def mean(strength, outside, rows):
        bias = FUNCTIONS[name](Q, K, weigh([Placed(span(0, 7), (2,), strength, outside)], 8), 3.0)
        return (SCORES + bias).softmax(-1)[:, :, rows, 2].mean().item()

    levels = (0, 0.25, 0.5, 1, 2, 3)
    inside = torch.tensor([mean(s, 0, slice(0, 8)) for s in levels])
    outside = torch.tensor([mean(0, s, slice(8, 16)) for s in levels])
    assert (inside.diff() > 0).all() and (outside.diff() < 0).all()


def test_paint_with_words_explicitly():
    bias = paint_with_words(Q, K, weigh(REGIONS, 8), 5.0)
    for row in range(2):
        scale = math.log(6) * SCORES[row].max().item()
        assert bias[row, 0, 0, 2].item() == pytest.approx(0.5 * scale, rel=1e-5)
        assert bias[row, 0, 15, 2].item() == pytest.approx(-0.2 * scale, rel=1e-5)
        assert bias[row, 0, 5, 5].item() == pytest.approx(0.8 * scale, rel=1e-5)


def test_dense_diffusion_explicitly():
    soft = span(0, 7)
    soft[0, 8] = 0.5
    bias = dense_diffusion(Q, K, weigh([Placed(soft, (2, 3), 0.5, 0.2), REGIONS[1]], 8), 4.0)
    fade = schedule_position(4.0) ** 5
    regions = [(soft, (2, 3), 0.5, 0.2, 8.5 / 16), (span(4, 11), (5,), 0.8, 0.0, 0.5)]
    expected = torch.zeros_like(SCORES)
    for b, h, i in torch.cartesian_prod(*map(torch.arange, SCORES.shape[:3])).tolist():
        a = SCORES[b, h, i]
        for mask, rows, strength, outside, area in regions:
            for j in rows:
                inside = strength * mask[0, i] * (a.max() - a[j])
                expected[b, h, i, j] += fade * (1 - area) * (inside - outside * (1 - mask[0, i]) * (a[j] - a.min()))
    assert torch.allclose(bias, expected, atol=1e-6)


def test_dense_diffusion_at_full_noise_lifts_a_small_phrase_to_the_strongest_token():
    bias = dense_diffusion(Q, K, weigh([Placed(span(3, 3), (2,), 16 / 15, 0.0)], 8), 20.0)
    assert torch.allclose((SCORES + bias)[:, :, 3, 2], SCORES[:, :, 3].amax(-1), atol=1e-5)


@ALL
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_gives_the_float32_bias_of_the_same_numbers(name, dtype):
    q, k, weights = Q.to(dtype), K.to(dtype), weigh(REGIONS, 8)
    bias = FUNCTIONS[name](q, k, weights, 14.6)
    assert bias.dtype == torch.float32
    assert torch.equal(bias, FUNCTIONS[name](q.float(), k.float(), weights, 14.6))


@ALL
def test_nothing_that_comes_in_is_changed(name):
    weights = weigh(REGIONS, 8)
    given = (Q, K, *vars(weights).values(), *(region.cells for region in REGIONS))
    before = [x.clone() for x in given]
    FUNCTIONS[name](Q, K, weights, 5.0)
    assert all(map(torch.equal, before, given))


def test_repeated_tokens_leave_the_result_as_it_was():
    bias = spatial_control(Q, K, weigh(REGIONS, 8), 5.0)
    out = (Q @ K.repeat(1, 1, 3, 1).mT / 2 + repeat_tokens(bias, 24)).softmax(-1) @ V.repeat(1, 1, 3, 1)
    assert torch.allclose(out, attend(bias), atol=1e-6)
    assert torch.equal(repeat_tokens(bias, 8), bias)
