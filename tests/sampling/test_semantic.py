"""SEGA against the numbers of its own code (SOURCES 2.6), and against that code's steps (2.1) written out again."""

from dataclasses import dataclass

import pytest
import torch
from pack.sampling.semantic import Momentum, Part, across, combine, largest, quantile, rescale

GOLDEN = [
    (-71.452359, 1532.292368, 14314.172805),
    (-75.639879, 1555.159562, 14914.112197),
    (-90.625214, 1566.344110, 15273.686474),
]
"""Sum, sum of |e| and of e^2 of the whole noise estimate of case A at steps 0, 1, 2."""


def wave(a, b, c):
    """e(step), (1, 4, 8, 8)."""
    k = torch.arange(256, dtype=torch.float64).reshape(1, 4, 8, 8)
    return lambda i: torch.sin(a * k + b + c * i)


U, T = wave(0.31, 0.0, 0.05), wave(0.17, 0.4, 0.03)
E = [wave(0.29, 0.9, 0.02), wave(0.43, 1.3, 0.01), wave(0.37, 2.1, 0.04)]


@dataclass
class Setting:
    scale: float = 5.0
    threshold: float = 0.9
    warmup: int = 0
    cooldown: int = 1000
    weight: float = 1.0
    reverse: bool = False


def source(settings, steps, s_m=0.1, beta=0.4):
    """G - cfg * (e_t - e_u) of every step, as the source computes it, NaN included."""
    nu, out = torch.zeros(1, 4, 8, 8, dtype=torch.float64), []
    for i in range(steps):
        edits, weights, added = [], [], torch.zeros_like(nu)
        active = torch.tensor([i >= s.warmup for s in settings], dtype=torch.float64)
        for s, e in zip(settings, E, strict=False):
            psi = (e(i) - U(i)) * (-s.scale if s.reverse else s.scale)
            eta = torch.quantile(psi.abs().flatten(2), s.threshold, dim=2)[..., None, None]
            over = i >= s.cooldown
            edits.append(torch.zeros_like(psi) if over else torch.where(psi.abs() >= eta, psi, 0.0))
            weights.append(0.0 if over else s.weight)
        weights = torch.tensor(weights, dtype=torch.float64).clamp_min(0)
        if 0 < active.sum() < len(settings):
            shares = weights * active / (weights * active).sum()
            added = sum(share * edit for share, edit, on in zip(shares, edits, active, strict=True) if on)
        every = sum(weight * edit for weight, edit in zip(weights, edits, strict=True)) + s_m * nu
        nu = beta * nu + (1 - beta) * every
        out.append(every if active.sum() == len(settings) else added)
    return out


def ours(settings, steps, s_m=0.1, beta=0.4, normalise="source"):
    nu, out = 0.0, []
    for i in range(steps):
        parts = []
        for s, e in zip(settings, E, strict=False):
            psi = (e(i) - U(i)) * (-s.scale if s.reverse else s.scale)
            edit = None if i >= s.cooldown else psi * largest(psi, s.threshold, False)
            parts.append(Part(edit, s.weight, i >= s.warmup, i >= s.cooldown))
        edit, nu = combine(parts, nu, Momentum(s_m, beta), normalise)
        out.append(edit)
    return out


def same(mine, theirs):
    return all(torch.allclose(torch.as_tensor(a).double(), b, atol=1e-9) for a, b in zip(mine, theirs, strict=True))


def test_golden_numbers_of_the_source():
    for i, edit in enumerate(ours([Setting()], 3, 0.3, 0.6)):
        e = U(i) + 7 * (T(i) - U(i)) + edit
        found = e.sum(), e.abs().sum(), (e * e).sum()
        assert torch.allclose(torch.stack(found), torch.tensor(GOLDEN[i], dtype=torch.float64), rtol=1e-6)


CASES = {
    "one": [Setting()],
    "one warms up": [Setting(warmup=3)],
    "two, one after the other": [Setting(), Setting(3, 0.5, 4)],
    "three, of which one is off": [Setting(weight=-1.0), Setting(4, 0.8, weight=0.7), Setting(warmup=5, weight=2)],
    "removed and cooled down": [Setting(reverse=True, cooldown=4), Setting(7, 0.95, 2, 6, 0.4)],
    "all cool down": [Setting(cooldown=3), Setting(cooldown=5, warmup=2)],
    "thresholds 0 and 1": [Setting(threshold=0.0), Setting(threshold=1.0, warmup=1)],
}


@pytest.mark.parametrize("name", CASES)
def test_as_the_source_over_warm_up_and_cool_down(name):
    theirs = source(CASES[name], 10, 0.3, 0.6)
    assert not any(edit.isnan().any() for edit in theirs)
    assert any(edit.any() for edit in theirs)
    assert same(ours(CASES[name], 10, 0.3, 0.6), theirs)


def test_momentum_goes_on_by_a_constant_factor_after_the_cool_down():
    edits = ours([Setting(cooldown=3)], 7, 0.3, 0.6)
    for i in range(4, 7):
        assert torch.allclose(edits[i], (0.6 + 0.4 * 0.3) * edits[i - 1]) and edits[i].any()


def test_never_nan_where_the_source_is():
    """Two concepts, of which the first has cooled down while the second still warms up: the source divides 0 by 0."""
    settings = [Setting(warmup=0, cooldown=2), Setting(warmup=10, cooldown=20)]
    theirs, mine = source(settings, 24), ours(settings, 24)
    assert [bool(edit.isnan().any()) for edit in theirs] == [2 <= i < 10 for i in range(24)]
    assert mine[2:10] == [0.0] * 8  # plain CFG
    assert same(mine[:2] + mine[10:], theirs[:2] + theirs[10:])


def test_the_weights_are_normalised_as_asked():
    settings = [Setting(weight=0.5), Setting(weight=1.5, warmup=2)]
    plain = [ours([s], 1, 0.0)[0] for s in (Setting(), Setting(weight=0))][0]
    by = {how: ours(settings, 3, 0.0, normalise=how) for how in ("source", "always", "never")}
    assert torch.allclose(by["source"][0], plain) and torch.allclose(by["always"][0], plain)
    assert torch.allclose(by["never"][0], 0.5 * plain)
    assert torch.allclose(by["source"][2], by["never"][2])
    assert torch.allclose(by["always"][2], by["never"][2] / 2) and by["never"][2].any()


def test_relations():
    (plain,) = ours([Setting(threshold=0.0)], 1, 0.0)
    assert torch.allclose(plain, 5 * (E[0](0) - U(0)))
    forward, backward = ours([Setting()], 4), ours([Setting(reverse=True)], 4)
    assert all(torch.equal(b, -a) for a, b in zip(forward, backward, strict=True))
    (psi,) = ours([Setting(threshold=0.0)], 1, 0.0)
    twice = [Part(psi, 0.5, True)] * 2
    for how in ("source", "always", "never"):
        one = combine([Part(psi, 1.0, True)], psi, Momentum(), how)
        assert all(torch.allclose(a, b) for a, b in zip(combine(twice, psi, Momentum(), how), one, strict=True))
    assert combine([], 0.0, Momentum(), "source")[0] == 0.0
    assert combine([Part(None, 1.0, False)], 0.0, Momentum(), "always")[0] == 0.0


@pytest.mark.parametrize("shape", [(2, 4, 17, 13), (1, 16, 3, 8, 8)])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.9, 0.99, 1.0])
def test_the_kept_fraction_of_every_channel(shape, threshold):
    psi = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    cells = psi[0, 0].numel()
    kept = largest(psi, threshold, False).flatten(2).sum(2)
    assert kept.shape == shape[:2] and ((kept - (1 - threshold) * cells).abs() <= 1).all()
    joint = largest(psi, threshold, True)
    assert joint.shape == (shape[0], 1, *shape[2:])
    assert ((joint.flatten(1).sum(1) - (1 - threshold) * cells).abs() <= 1).all()
    total = psi.abs().sum(1).flatten(1)
    explicit = total >= torch.quantile(total.double(), threshold, dim=1, keepdim=True).float()
    assert (joint.flatten(1) != explicit).sum() <= 1


def test_largest_keeps_the_dtype_and_takes_half_precision():
    for dtype in (torch.float16, torch.bfloat16):
        psi = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)).to(dtype)
        assert largest(psi, 0.9, False).dtype == dtype and largest(psi, 0.9, False).sum() >= 4 * 6


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.9, 0.9137, 0.999, 1.0])
def test_quantile_is_torchs(fraction):
    values = torch.randn(2, 3, 1000, generator=torch.Generator().manual_seed(0))
    exact = torch.quantile(values.double(), fraction, dim=-1)  # its float32 rounds the rank
    assert (quantile(values, fraction) - exact).abs().max() <= 1e-6


def test_quantile_of_more_values_than_torch_takes():
    count = (1 << 24) + 3
    values = torch.arange(count, dtype=torch.int32).flip(0)[None].to(torch.bfloat16)
    with pytest.raises(RuntimeError):
        torch.quantile(values.float(), 0.9, dim=-1)
    assert quantile(values, 0.9).item() == pytest.approx(0.9 * count, rel=1 / 128)  # bfloat16 has 8 bits


def test_across_and_rescale():
    generator = torch.Generator().manual_seed(0)
    edit, guidance = (torch.randn(2, 4, 5, 7, generator=generator) for _ in range(2))
    rest = across(edit, guidance)
    assert (rest * guidance).flatten(1).sum(1).abs().max() < 1e-4 and not torch.allclose(rest, edit)
    assert torch.allclose(rest[:1], across(edit[:1], guidance[:1]), atol=1e-6)
    assert across(3 * guidance, guidance).abs().max() < 1e-5
    assert torch.equal(across(edit, torch.zeros_like(edit)), edit)
    wide = 1 + 3 * edit
    assert torch.allclose(rescale(wide, guidance, 1.0).flatten(1).std(1), guidance.flatten(1).std(1), rtol=1e-5)
    assert torch.equal(rescale(wide, guidance, 0.0), wide)
    half = (rescale(wide, guidance, 1.0) + wide) / 2
    assert torch.allclose(rescale(wide, guidance, 0.5), half, atol=1e-6)
