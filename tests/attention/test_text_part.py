"""The share of the text in what a picture's tokens look at."""

import torch
from pack.attention.text_part import text_part


def test_low_precision_loses_nothing_of_large_logits():
    """In bfloat16 a logit of 300 is a multiple of 2."""
    rng = torch.Generator().manual_seed(0)
    q, k = (torch.randn(1, 2, count, 128, generator=rng).mul(1.6).bfloat16() for count in (16, 24))
    found = text_part(q, k, None, slice(0, 8), (1, 4, 4))
    wanted = (q.double() @ k.double().mT * 128**-0.5).softmax(-1)[..., :8].sum(-1).mT
    assert (q.double() @ k.double().mT).abs().max() > 60
    assert torch.allclose(found.double(), wanted, atol=1e-5)
