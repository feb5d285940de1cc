"""Cross-attention moved by concepts: the rules on small vectors."""

import pytest
import torch


def pull(concept, neutral=(0.0, 0.0), strength=1.0, remove=False, share=1.0):
    from pack.attention.steered import Pull

    told = [None if one is None else torch.tensor([[one]]) for one in (concept, neutral)]
    return Pull(*told, strength, remove, share)


def moved(z, *pulls):
    from pack.attention.steered import steered

    return steered(torch.tensor([[z]]), pulls)[0, 0].tolist()


def test_add():
    assert moved((1.0, 1.0), pull((0.5, 0.0), strength=2.0)) == [2.0, 1.0]
    assert moved((1.0, 1.0), pull((0.5, 0.5), (0.5, 0.0))) == [1.0, 1.5]
    assert moved((1.0, 1.0), pull((0.5, 0.0), None, strength=0.5)) == [0.75, 0.5]  # half the way from the prompt
    assert moved((1.0, 1.0), pull((0.5, 0.0)), pull((0.0, 0.5), share=0.5)) == [1.5, 1.25]


def test_remove_takes_out_only_what_is_there():
    assert moved((2.0, 1.0), pull((1.0, 0.0), remove=True)) == pytest.approx([0.0, 1.0])
    assert moved((2.0, 1.0), pull((7.0, 0.0), remove=True)) == pytest.approx([0.0, 1.0])  # whatever its length
    assert moved((2.0, 1.0), pull((1.0, 0.0), strength=0.5, remove=True)) == pytest.approx([1.0, 1.0])
    assert moved((-2.0, 1.0), pull((1.0, 0.0), remove=True)) == [-2.0, 1.0]
    assert moved((0.2, 1.0), pull((1.0, 0.0), remove=True)) == pytest.approx([0.2, 1.0])  # cosine 0.196
    half = moved((0.45, (1 - 0.45**2) ** 0.5), pull((1.0, 0.0), remove=True))
    assert half[0] == pytest.approx(0.225)  # between ABSENT and PRESENT


def test_the_pair_is_the_exchange():
    """A prompt with the concept of the whole new text added and its own removed is the new text."""
    z, new = (1.0, 0.5), (0.2, 0.9)
    assert moved(z, pull(new), pull(z, remove=True)) == pytest.approx(list(new))


def test_it_grows_to_the_limit_only():
    assert moved((1.0, 1.0), pull((10.0, 0.0))) == pytest.approx([5 * 11 / 12, 5 / 12])
    assert moved((0.0, 0.0), pull((0.0, 0.0), remove=True)) == [0.0, 0.0]
