"""The three forms of a bias are the same attention."""

import pytest
import torch
from pack.bench import cost_biased


def test_every_form_gives_what_the_mask_gives(monkeypatch):
    for name, value in {"TEXT": 16, "PICTURE": 64, "LEFT": 32, "WIDTH": 16}.items():
        monkeypatch.setattr(cost_biased, name, value)
    q, k, v = cost_biased.inputs(2)
    scores = q @ k.mT / 4
    scores[:, :, 16:48, 2:4] += cost_biased.AMOUNT
    scores[:, :, 48:, 6:8] += cost_biased.AMOUNT
    right = scores.softmax(-1) @ v
    for form in (cost_biased.mask, cost_biased.merge, cost_biased.dims):
        torch.testing.assert_close(form(q, k, v), right, rtol=1e-4, atol=1e-5)
    assert (cost_biased.plain(q, k, v) - right).abs().max() > 0.1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_inputs_are_made_in_another_dtype(monkeypatch, dtype):
    monkeypatch.setattr(cost_biased, "PICTURE", 64)
    assert {one.dtype for one in cost_biased.inputs(1, dtype=dtype)} == {dtype}
