"""Probabilities of words against the whole attention matrix."""

import pytest
import torch
from pack.attention import probabilities as module
from pack.attention.probabilities import probabilities, self_probabilities


def explicit(q, k):
    """(b, heads, Q, n) in float64."""
    return torch.softmax(q.double() @ k.double().transpose(-1, -2) / q.shape[-1] ** 0.5, -1)


def tensors(b=2, heads=4, queries=12, tokens=77, width=8, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    shape = (b, heads, queries, width), (b, heads, tokens, width)
    return [(torch.randn(s, generator=generator) * 2).to(dtype) for s in shape]


@pytest.mark.parametrize("chunk", [1, 30_000, 1 << 24])  # one head, some heads and all heads at a time
def test_mean_over_tokens_and_heads(chunk, monkeypatch):
    monkeypatch.setitem(module.CHUNK, "cpu", chunk)
    q, k = tensors(heads=5)
    columns = [[1], [3, 4, 76], [4]]
    whole = explicit(q, k)
    expected = torch.stack([whole[..., c].mean(-1).mean(1) for c in columns], 1)
    seen = probabilities(q, k, columns)
    assert seen.shape == (2, 3, 12) and seen.dtype == torch.float32
    torch.testing.assert_close(seen.double(), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("tokens", [1, 77, 154, 231])
def test_all_words_together_take_everything(tokens):
    q, k = tensors(tokens=tokens)
    seen = probabilities(q, k, [[row] for row in range(tokens)])
    torch.testing.assert_close(seen.sum(1), torch.ones(2, 12))


def test_closed_form():
    """Logits 0 and log 3 in one head, equal logits in the other: (3/4 + 1/2) / 2."""
    q = torch.ones(1, 2, 1, 4)
    k = torch.zeros(1, 2, 2, 4)
    k[0, 0, 1] = torch.log(torch.tensor(3.0)) / 2  # 4 channels * log 3 / 2 / sqrt(4)
    torch.testing.assert_close(probabilities(q, k, [[1]]), torch.tensor([[[0.625]]]))


def test_half_precision_is_computed_in_float32():
    q, k = tensors(dtype=torch.float16)
    expected = explicit(q, k)[..., 2].mean(1)
    torch.testing.assert_close(probabilities(q * 1, k, [[2]])[:, 0].double(), expected, rtol=1e-5, atol=1e-7)


def test_huge_logits_stay_finite():
    q, k = tensors()
    assert probabilities(q * 1e4, k * 1e4, [[1], [2]]).isfinite().all()


def test_pictures_of_a_batch_do_not_depend_on_each_other():
    q, k = tensors()
    torch.testing.assert_close(probabilities(q, k, [[1]])[1:], probabilities(q[1:], k[1:], [[1]]), rtol=0, atol=1e-7)


def test_self_attention_rows_sum_to_one():
    q, _ = tensors(queries=30)
    k = q.flip(-1)
    seen = self_probabilities(q, k)
    torch.testing.assert_close(seen.double(), explicit(q, k).mean(1), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(seen.sum(-1), torch.ones(2, 30))
