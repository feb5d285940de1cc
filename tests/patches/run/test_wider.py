"""A call with more keys is the softmax over all of them, in every backend of the host and in every form of a call."""

import pytest
import torch

HEADS, WIDTH = 4, 8
BACKENDS = ["attention_basic", "attention_sub_quad", "attention_split", "attention_pytorch"]


def tokens(seed: int, rows: int = 2, count: int = 6, heads: int = HEADS) -> torch.Tensor:
    return torch.randn(rows, heads, count, WIDTH, generator=torch.Generator().manual_seed(seed))


def softmaxed(q, k, v, logits) -> torch.Tensor:
    """(B, T, heads * D) in float64."""
    odds = (q.double() @ k.double().mT * WIDTH**-0.5 + logits).softmax(-1)
    return (odds @ v.double()).transpose(1, 2).flatten(2)


@pytest.fixture
def more(comfy):
    """Two more keys for the whole batch, three for each row; only the first have logits."""
    from pack.patches.run.wider import More

    one = More(tokens(4, 1, 2), tokens(5, 1, 2), torch.tensor([0.7, -0.4])[None, None, None])
    return [one, More(tokens(6, 2, 3), tokens(7, 2, 3))]


def expected(more, own=0.0):
    k, v = (torch.cat([t, *(m.expand(2, -1, -1, -1) for m in ms)], 2) for t, ms in _pairs(more))
    logits = torch.zeros(2, HEADS, 6, 11, dtype=torch.float64)
    logits[..., :6] += own
    logits[..., 6:8] += more[0].logits
    return softmaxed(tokens(1), k, v, logits)


def _pairs(more):
    return (tokens(2), [each.k for each in more]), (tokens(3), [each.v for each in more])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("apart", [False, True])
def test_every_backend_and_both_forms_of_a_call(more, backend, apart):
    import comfy.ldm.modules.attention as host
    from pack.patches.run.wider import wider

    flat = [t if apart else t.transpose(1, 2).flatten(2) for t in (tokens(1), tokens(2), tokens(3))]
    given = {**dict(zip("qkv", flat, strict=True)), "heads": HEADS, "skip_reshape": apart}
    wide, bias = wider(given, None, more)
    q, k, v = (wide[name] for name in "qkv")
    out = getattr(host, backend)(q, k, v, HEADS, mask=bias, skip_reshape=apart)
    assert (out - expected(more)).abs().max() < 1e-5


def test_a_bias_of_the_call_and_masks_of_the_model_say_nothing_of_them(more):
    from pack.patches.run.biased import join
    from pack.patches.run.wider import wider

    own = torch.randn(2, 1, 6, 6, generator=torch.Generator().manual_seed(8))
    hidden = torch.ones(6, 6, dtype=torch.bool).tril()
    given = {"q": tokens(1), "k": tokens(2), "v": tokens(3), "heads": HEADS, "skip_reshape": True, "mask": hidden}
    wide, bias = wider(given, own, more)
    out = torch.nn.functional.scaled_dot_product_attention(
        wide["q"], wide["k"], wide["v"], attn_mask=join(bias, wide["mask"])
    )
    all_own = own.double().masked_fill(~hidden, float("-inf"))
    assert (out.transpose(1, 2).flatten(2) - expected(more, all_own)).abs().max() < 1e-5
    assert given["mask"] is hidden and given["k"].shape[2] == 6


def test_no_bias_where_all_logits_are_0(more):
    from pack.patches.run.wider import wider

    given = {"q": tokens(1), "k": tokens(2), "v": tokens(3), "heads": HEADS, "skip_reshape": True}
    wide, bias = wider(given, None, more[1:])
    assert bias is None and wide["k"].shape[2] == wide["v"].shape[2] == 9


def test_grouped_queries_keep_their_fewer_keys(comfy):
    from pack.patches.run.wider import More, wider

    few = [tokens(seed, heads=2) for seed in (2, 3)]
    given = {"q": tokens(1), "k": few[0], "v": few[1], "heads": HEADS, "skip_reshape": True}
    wide, _ = wider(given, None, [More(tokens(4, 1, 2, 2), tokens(5, 1, 2, 2))])
    assert wide["k"].shape == wide["v"].shape == (2, 2, 8, WIDTH) and wide["q"].shape == (2, HEADS, 6, WIDTH)
