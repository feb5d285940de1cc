"""CLIP Slerp Augment along the mean of several pairs of prompts."""

import pytest
import torch

MEAN = "mean of target - neutral"


@pytest.fixture(scope="module")
def clip(comfy):
    from pack.tests import tiny

    return tiny.sdxl()


@pytest.fixture(scope="module")
def augment(comfy):
    from pack.nodes.text import ClipSlerpAugment

    def run(base, target, neutral, theta=0.5, direction=MEAN, mode="lerp"):
        return ClipSlerpAugment.execute(base, target, theta, mode, direction, 0.0, 0.0, 1.0, neutral).result[0]

    return run


def encode(clip, *texts):
    """As Conditioning Combine gives them."""
    return [entry for text in texts for entry in clip.encode_from_tokens_scheduled(clip.tokenize(text))]


def test_base_moves_along_the_mean_of_the_differences(clip, augment):
    base = encode(clip, "a cat")
    styled, plain = encode(clip, "a dog at sunset", "a car at sunset"), encode(clip, "a dog", "a car")
    moved = augment(base, styled, plain)
    steps = [one[0] - other[0] for one, other in zip(styled, plain, strict=True)]
    assert torch.allclose(moved[0][0], base[0][0] + 0.5 * (steps[0] + steps[1]) / 2, atol=1e-5)
    pooled = [one[1]["pooled_output"] - other[1]["pooled_output"] for one, other in zip(styled, plain, strict=True)]
    wanted = base[0][1]["pooled_output"] + 0.5 * (pooled[0] + pooled[1]) / 2
    assert torch.allclose(moved[0][1]["pooled_output"], wanted, atol=1e-5)


@pytest.mark.parametrize("mode", ["per_token", "lerp"])
def test_one_pair_is_the_plain_difference_bit_for_bit(clip, augment, mode):
    base, target, neutral = (encode(clip, text) for text in ("a cat", "a dog at sunset", "a dog"))
    one = augment(base, target, neutral, mode=mode)
    other = augment(base, target, neutral, direction="target - neutral", mode=mode)
    assert torch.equal(one[0][0], other[0][0])
    assert torch.equal(one[0][1]["pooled_output"], other[0][1]["pooled_output"])


def test_every_entry_of_base_moves_along_the_same_mean(clip, augment):
    base = encode(clip, "a cat", "a tree")
    styled, plain = encode(clip, "a dog at sunset", "a car at sunset"), encode(clip, "a dog", "a car")
    moved = augment(base, styled, plain)
    steps = [entry[0] - own[0] for entry, own in zip(moved, base, strict=True)]
    assert len(moved) == 2 and torch.allclose(steps[0], steps[1], atol=1e-5) and steps[0].abs().max() > 1e-3


def test_what_has_no_pairs_is_refused(clip, augment):
    base, two = encode(clip, "a cat"), encode(clip, "a dog", "a car")
    with pytest.raises(ValueError, match="needs neutral; connect one"):
        augment(base, two, None)
    with pytest.raises(ValueError, match="target holds 2 prompts and neutral 1"):
        augment(base, two, base)
    long = encode(clip, "a dog", "red " * 90)
    with pytest.raises(ValueError, match=r"prompts at target differ in length \(77 and 154 rows of text\)"):
        augment(base, long, two)
