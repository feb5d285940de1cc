"""Track Phrases on the host's own encoders (tiny) and tokenizers: nothing changes, and the rows are the right ones."""

import pytest
import torch
from pack.attention.phrases import positions, words
from pack.tests import tiny
from pack.tests.patches.tracked import changed_rows, encode, tag_of, track

pytestmark = pytest.mark.usefixtures("comfy")
ALL = ["sd1", "sdxl", "sd3", "flux"]
PROMPT = r"A (red cat:1.3) \(old\) near a black-and-white (dog:0.8), concatenate, red CAT"
FILLER = ", ".join(["a tree"] * 40)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("text", [PROMPT, "", FILLER])
def test_tensors_stay_bit_identical_and_the_given_clip_untagged(name, text):
    clip = getattr(tiny, name)()
    tracked = track(clip)
    before, with_tag, after = encode(clip, text), encode(tracked, text), encode(clip, text)
    for entry in (with_tag, after):
        assert torch.equal(entry[0], before[0]) and torch.equal(entry[1]["pooled_output"], before[1]["pooled_output"])
    assert before[1].keys() == after[1].keys() == with_tag[1].keys() - {"lm_phrases"}
    assert tag_of(with_tag).rows == before[0].shape[1]
    with pytest.raises(ValueError, match="put Track Phrases between the CLIP loader and the text encode node"):
        tag_of(after)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("phrase", "count"),
    [
        ("cat", 2),
        ("Red Cat", 2),
        ("(red cat:1.1)", 2),
        (r"\(old\)", 1),
        ("black-and-white (dog:0.8)", 1),
        ("concatenate", 1),
    ],
)
def test_phrases_through_the_real_tokenizers(name, phrase, count):
    found = positions(phrase, tag_of(encode(track(getattr(tiny, name)()), PROMPT)))
    assert len(found) == count


@pytest.mark.parametrize("name", ALL)
def test_parts_of_words_are_not_found(name):
    tag = tag_of(encode(track(getattr(tiny, name)()), PROMPT))
    for part in ("con", "ate", "concat", "lack"):
        with pytest.raises(
            ValueError, match="not in the prompt; .*: a, red, cat, old, near, a, black, and, white, dog"
        ):
            positions(part, tag)


def test_clip_skip_and_lora_before_and_after():
    import nodes

    key = "clip_l.transformer.text_model.encoder.layers.0.mlp.fc1.weight"
    patches = {key: (torch.ones(64, 32),)}
    plain_lora, after = tiny.sd1().clone(), track(tiny.sd1()).clone()
    assert plain_lora.add_patches(patches) and after.add_patches(patches)
    (skipped,) = nodes.CLIPSetLastLayer().set_last_layer(plain_lora, -2)
    wanted, unskipped, bare = encode(skipped, PROMPT), encode(plain_lora, PROMPT), encode(tiny.sd1(), PROMPT)
    (late,) = nodes.CLIPSetLastLayer().set_last_layer(after, -2)
    for clip in (track(skipped), late):
        entry = encode(clip, PROMPT)
        assert torch.equal(entry[0], wanted[0]) and len(positions("red cat", tag_of(entry))) == 2
    assert not torch.equal(wanted[0], unskipped[0]) and not torch.equal(unskipped[0], bare[0])


def test_what_another_node_returns_is_kept_and_two_trackers_are_one():
    other = tiny.sd1().clone()
    encode_tokens = other.cond_stage_model.encode_token_weights
    other.patcher.add_object_patch("encode_token_weights", lambda tokens: (*encode_tokens(tokens)[:2], {"theirs": 7}))
    entry = encode(track(track(other)), "a cat")
    assert entry[1]["theirs"] == 7 and positions("cat", tag_of(entry)) == [(2,)]
    assert encode(other, "a cat")[1].keys() == {"pooled_output", "theirs"}


def test_both_texts_of_the_sdxl_node():
    from comfy_extras.nodes_clip_sdxl import CLIPTextEncodeSDXL

    sizes = dict(width=64, height=64, crop_w=0, crop_h=0, target_width=64, target_height=64)
    out = CLIPTextEncodeSDXL.execute(track(tiny.sdxl()), text_g="a cat", text_l=FILLER + ", dog", **sizes)
    ((tensor, options),) = out.result[0]
    tag = tag_of((tensor, options))
    assert tensor.shape[1] == 154 and options["target_width"] == 64
    assert positions("cat", tag) == [(2,)] and positions("dog", tag)[0][0] > 77


def test_both_texts_of_the_flux_node():
    from comfy_extras.nodes_flux import CLIPTextEncodeFlux

    out = CLIPTextEncodeFlux.execute(track(tiny.flux()), clip_l="a dog", t5xxl="red cat", guidance=3.5)
    ((_, options),) = out.result[0]
    assert positions("cat", tag_of((None, options))) == [(1,)]
    with pytest.raises(ValueError, match="only in the text of the encoder l.*: red, cat"):
        positions("dog", tag_of((None, options)))


@pytest.mark.parametrize(
    ("clip_l", "clip_g", "t5xxl", "count", "rows"),
    [
        ("", "a cat", "red cat", 154, (2, 78)),
        ("", "", "red cat", 77, (1,)),
        ("a cat", "a cat", "", 78, (2,)),
        ("a cat", "", "", 78, (2,)),
    ],
)
def test_empty_texts_of_the_sd3_node(clip_l, clip_g, t5xxl, count, rows):
    """With `empty_padding` none, the host leaves out both CLIPs, or encodes an empty T5 as its end token."""
    from comfy_extras.nodes_sd3 import CLIPTextEncodeSD3

    texts = dict(clip_l=clip_l, clip_g=clip_g, t5xxl=t5xxl, empty_padding="none")
    ((tensor, options),) = CLIPTextEncodeSD3.execute(track(tiny.sd3()), **texts).result[0]
    assert tensor.shape[1] == count and positions("cat", tag_of((tensor, options))) == [rows]


def test_conditioning_nodes_keep_the_tag():
    import node_helpers

    import nodes

    entry = encode(track(tiny.sd1()), "a cat")
    other = encode(tiny.sd1(), "a dog")
    changed = [
        node_helpers.conditioning_set_values([entry], {"strength": 0.5}),
        nodes.ConditioningConcat().concat([entry], [other])[0],
        nodes.ConditioningSetArea().append([entry], 64, 64, 0, 0, 1.0)[0],
        nodes.ConditioningAverage().addWeighted([entry], [other], 0.5)[0],
        nodes.ConditioningCombine().combine([entry], [other])[0],
    ]
    assert all(positions("cat", tag_of(conditioning[0])) == [(2,)] for conditioning in changed)


def test_each_conditioning_has_its_own_words():
    """Those of the second text are known where it stands for itself, and refused where it is only put behind."""
    import nodes

    first, second = (encode(track(tiny.sd1()), text) for text in ("a cat", "a big dog"))
    combined = nodes.ConditioningCombine().combine([first], [second])[0]
    assert [positions(word, tag_of(e)) for word, e in zip(("cat", "dog"), combined, strict=True)] == [[(2,)], [(3,)]]
    ((tensor, options),) = nodes.ConditioningConcat().concat([first], [second])[0]
    assert tensor.shape[1] == 154 and tag_of((tensor, options)).rows == 77
    with pytest.raises(ValueError, match="'dog' is not in the prompt.*: a, cat"):
        positions("dog", tag_of((tensor, options)))


def test_an_encoder_that_cuts_its_template():
    """Qwen-Image's own encoder class over a tiny Llama: words of the template have no rows."""
    from comfy.text_encoders.qwen_image import QwenImageTEModel, QwenImageTokenizer

    clip = track(tiny.build(QwenImageTokenizer, QwenImageTEModel, qwen25_7b_class=tiny.qwen()))
    text = "a red cat, 猫 on a beach"
    tag = tag_of(encode(clip, text))
    ((row,),) = positions("cat", tag)
    assert changed_rows(clip, text, text.replace("cat", "dog")) == list(range(row, tag.rows))
    assert words(tag)[:5] == ["a", "red", "cat", "猫", "on"] and "describe" not in words(tag)
    assert len(positions("猫", tag)) == 1


def tag_with(tokens, rows, extra, **vocabularies):
    """The tag that an encoder without weights would give: `rows` of output, `extra` beside it."""
    from pack.attention.pieces import Reader
    from pack.patches.run.track import KEY, TagTokens

    readers = {n: Reader(v, "sentencepiece", None, frozenset(), frozenset()) for n, v in vocabularies.items()}
    tagger = TagTokens(lambda tokens: (torch.zeros(1, rows, 4), None, extra), torch.nn.Module(), readers)
    return tagger({name: [[(token, 1.0) for token in chunk]] for name, chunk in tokens.items()})[2][KEY]


def test_anima_has_a_row_for_each_t5_token():
    """Its model makes the context from the T5 ids, with the LLM's rows as keys (comfy/ldm/anima/model.py)."""
    tokens, vocabulary = {"qwen3_06b": [1, 2, 2], "t5xxl": [1, 2]}, {1: "▁red", 2: "▁cat"}
    tag = tag_with(tokens, 3, {"t5xxl_ids": torch.tensor([1, 2])}, qwen3_06b=vocabulary, t5xxl=vocabulary)
    assert positions("cat", tag) == [(1,)]


def test_rows_that_are_not_known_are_refused_not_guessed():
    vocabulary = {1: "▁red", 2: "▁cat"}
    image = tag_with({"qwen25_7b": [{"type": "image"}, 1, 2]}, 40, {}, qwen25_7b=vocabulary)
    cut = tag_with({"llama": [1, 2, 2, 1]}, 3, {}, llama=vocabulary)
    for tag in (image, cut):
        with pytest.raises(ValueError, match="does not know which rows"):
            positions("cat", tag)


def test_a_tokenizer_that_cannot_be_read():
    clip = tiny.sd1().clone()
    clip.tokenizer = type("Foreign", (), {"tokenize_with_weights": lambda *_, **__: {"x": []}})()
    with pytest.raises(ValueError, match="cannot read the tokenizer Foreign"):
        track(clip)
    with pytest.raises(ValueError, match="got no CLIP"):
        track(None)
