"""CLIP Slerp Augment on the rows of a phrase, with the host's encoders."""

import pytest
import torch

LONG = "red " * 90


@pytest.fixture(scope="module")
def augment(comfy):
    from pack.nodes.text import ClipSlerpAugment

    def run(base, target, theta=0.2, neutral=None, phrase="", direction="auto"):
        how = (theta, "per_token", direction, 1.5, 0.0, 1.0)
        return ClipSlerpAugment.execute(base, target, *how, neutral, phrase).result[0]

    return run


def encode(clip, text):
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


@pytest.fixture(scope="module")
def tracked(comfy):
    from pack.patches.run.track import track_phrases
    from pack.tests import tiny

    return {family: track_phrases(getattr(tiny, family)()) for family in ("sd1", "sdxl", "sd3", "flux")}


def moved_rows(before, after):
    return set((before != after).any(-1)[0].nonzero().flatten().tolist())


def test_a_phrase_moves_itself_and_the_end(tracked, augment):
    clip = tracked["sd1"]
    base, target = encode(clip, "a red cat at sunset, a red dog"), encode(clip, "blue things here and there again now")
    out = augment(base, target, phrase="red")
    # 0 start, 1 a, 2 red, 3 cat, 4 at, 5 sunset, 6 comma, 7 a, 8 red, 9 dog, 10.. end and padding
    assert moved_rows(base[0][0], out[0][0]) == {2, 8, *range(10, 77)}
    free = augment(base, target)
    rows = [2, 8, *range(10, 77)]
    assert torch.allclose(out[0][0][:, rows], free[0][0][:, rows], rtol=1e-5, atol=1e-6)
    assert torch.equal(out[0][1]["pooled_output"], free[0][1]["pooled_output"])
    assert out[0][1].keys() == base[0][1].keys() and out[0][1]["lm_phrases"] is base[0][1]["lm_phrases"]
    last = augment(base, target, 1.0, phrase="red")[0][0]
    assert torch.equal(last[:, rows], target[0][0][:, rows]) and torch.equal(last[:, :2], base[0][0][:, :2])


def test_phrases_in_every_family(tracked, augment):
    ends = {"sd1": range(3, 77), "sdxl": range(3, 77), "sd3": [*range(3, 77), *range(79, 154)], "flux": range(2, 256)}
    phrase = {"sd1": {1}, "sdxl": {1}, "sd3": {1, 77}, "flux": {0}}
    for family, clip in tracked.items():
        base, target = encode(clip, "cat farm"), encode(clip, "dog sea sunset " * 8)
        wanted = phrase[family] | set(ends[family])
        still = set(range(base[0][0].shape[1])) - wanted
        moved = moved_rows(base[0][0], augment(base, target, 0.5, phrase="cat")[0][0])
        assert moved & still == set() and phrase[family] <= moved, (family, sorted(moved & still))
        assert moved == wanted & moved_rows(base[0][0], target[0][0]), family


def test_phrase_rows_survive_lengthening(tracked, augment):
    clip = tracked["sd1"]
    base, target, empty = (encode(clip, text) for text in ("a red cat", LONG, ""))
    out = augment(base, target, 0.5, empty, phrase="red", direction="target - base")[0][0]
    grown = torch.cat([base[0][0], empty[0][0]], 1)
    assert moved_rows(grown, out) - {77} == {2, *range(4, 77), *range(78, 154)}
    # the second chunk's start token is the same in every prompt, but prompts of one and two chunks are other batches
    assert torch.allclose(out[:, 77], grown[:, 77], atol=1e-5)


def test_a_phrase_needs_its_tag_and_its_words(tracked, augment):
    with pytest.raises(ValueError, match="put Track Phrases between the CLIP loader and the text encode node"):
        augment([[torch.rand(1, 77, 32), {}]], [[torch.rand(1, 77, 32), {}]], phrase="cat")
    base, target = (encode(tracked["sd1"], text) for text in ("a cat on a farm", "a dog"))
    with pytest.raises(ValueError, match="'horse' is not in the prompt.*cat.*farm"):
        augment(base, target, phrase="horse")
    assert torch.equal(augment(base, target, 0.0, phrase="horse")[0][0], base[0][0])


def test_all_the_way_the_words_are_those_of_target(tracked, augment):
    base, target = encode(tracked["sd1"], "a red cat"), encode(tracked["sd1"], "one old dog")
    assert augment(base, target, 1.0)[0][1]["lm_phrases"] is target[0][1]["lm_phrases"]
    assert augment(base, target, 0.9)[0][1]["lm_phrases"] is base[0][1]["lm_phrases"]
    untagged = [[target[0][0], {k: v for k, v in target[0][1].items() if k != "lm_phrases"}]]
    assert "lm_phrases" not in augment(base, untagged, 1.0)[0][1]
