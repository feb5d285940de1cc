"""The spread and the peak of the logits against the explicit score matrix in float64."""

import pytest
import torch
from pack.attention.scores import joint_logit_std, logit_std, logits, peak_logit

SHAPES = [(4096, 77, 40, 2), (63, 154, 16, 5), (16, 8, 4, 2), (7, 1, 3, 1)]


def qk(queries, tokens, width, heads, offset=0.0, seed=0, rows=3):
    make = torch.Generator().manual_seed(seed)
    q, k = (torch.randn(rows, n, heads, width, generator=make).transpose(1, 2) for n in (queries, tokens))
    return q + offset * torch.randn(width, generator=make), k + offset * torch.randn(width, generator=make)


def direct(q, k):
    return q.double() @ k.double().mT / q.shape[-1] ** 0.5


@pytest.mark.parametrize("offset", [0, 1, 100])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_std_is_the_direct_one(shape, offset, seed):
    q, k = qk(*shape, offset, seed)
    scores = direct(q, k)
    assert torch.allclose(logit_std(q, k).double(), scores.flatten(1).std(1), rtol=1e-6, atol=0)
    assert torch.allclose(joint_logit_std(q, k).double(), scores.std(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("offset", [1, 100])
def test_heads_with_means_of_their_own(offset):
    q, k = qk(64, 77, 40, 8)
    q = q + offset * torch.randn(8, 1, 40, generator=torch.Generator().manual_seed(5))
    assert torch.allclose(logit_std(q, k).double(), direct(q, k).flatten(1).std(1), rtol=1e-6, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened_first(dtype):
    q, k = (x.to(dtype) for x in qk(63, 77, 16, 5, offset=3))
    std = logit_std(q, k)
    assert std.dtype == torch.float32
    assert torch.allclose(std.double(), direct(q, k).flatten(1).std(1), rtol=1e-6, atol=0)
    assert torch.allclose(logits(q, k).double(), direct(q, k), rtol=1e-5, atol=1e-5)


def test_a_row_never_depends_on_its_neighbours():
    q, k = qk(63, 77, 16, 5)
    louder = torch.cat([q[:1], 9 * q[1:]])
    assert logit_std(q, k).shape == (3,) and joint_logit_std(q, k).shape == ()
    assert logit_std(louder, k)[0] == logit_std(q, k)[0]
    assert joint_logit_std(louder, k) > 2 * joint_logit_std(q, k)


def test_equal_logits_have_no_spread():
    flat = torch.ones(1, 2, 9, 4)
    assert logit_std(flat, flat[:, :, :5]).item() == 0


def test_peak_of_each_row():
    q, k = qk(63, 77, 16, 5)
    assert torch.allclose(peak_logit(q, k).double(), direct(q, k).flatten(1).amax(1), rtol=1e-5)
