"""Keys of other pictures: their logits, and moments to align to."""

import torch
from pack.attention.sharing import aligned, column_logits, moments, side_by_side


def tokens(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_pictures_stand_side_by_side():
    given = tokens(2, 3, 4, 5)
    assert torch.equal(side_by_side(given), torch.cat([given[:1], given[1:]], 2))


def test_a_logit_counts_a_key_as_so_many_equal_ones():
    k, v, q = tokens(1, 1, 4, 8), tokens(1, 1, 4, 8).flip(2), tokens(1, 1, 2, 8)
    shares = torch.tensor([[1.0, 0.0], [0.5, 1.0]])
    odds = q @ k.mT
    weighted = (odds + column_logits(2.0, shares)).softmax(-1) @ v
    copies = [0, 0, 2, 3, 3]  # weights 2, 0, 1, 2
    assert torch.allclose(weighted, odds[..., copies].softmax(-1) @ v[:, :, copies], atol=1e-6)


def test_a_mask_of_queries_is_a_part_of_the_weight():
    shares, where = torch.tensor([[1.0, 0.5]]), torch.tensor([[1.0, 0.25, 0.0]])
    found = column_logits(2.0, shares, where)
    assert torch.allclose(found.exp(), torch.tensor([[2.0, 1.0], [0.5, 0.25], [0.0, 0.0]])[None, None])


def test_moments_of_copies_are_those_of_one():
    one = tokens(1, 2, 6, 3)
    expected = moments(one, torch.ones(1, 6))
    assert torch.allclose(expected[0], one.mean(2, keepdim=True), atol=1e-6)
    assert torch.allclose(expected[1], one.std(2, correction=0, keepdim=True), atol=1e-6)
    both = moments(one.repeat(2, 1, 1, 1), torch.tensor([[1.0], [3.0]]).expand(2, 6))
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(both, expected, strict=True))


def test_places_that_are_not_looked_at_have_no_part_in_the_moments():
    one, seen = tokens(1, 2, 6, 3), torch.tensor([[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]])
    part = moments(one[:, :, :3], torch.ones(1, 3))
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(moments(one, seen), part, strict=True))


def test_aligned_tokens_have_the_moments_of_others_row_by_row():
    own, other = tokens(2, 2, 6, 3) * 3 + 1, tokens(1, 2, 9, 3)
    found = aligned(own, moments(other, torch.ones(1, 9)))
    assert torch.allclose(found.mean(2), other.mean(2).expand(2, -1, -1), atol=1e-5)
    assert torch.allclose(found.std(2, correction=0), other.std(2, correction=0).expand(2, -1, -1), atol=1e-4)
    assert torch.allclose(aligned(own[1:], moments(other, torch.ones(1, 9))), found[1:], atol=1e-6)
