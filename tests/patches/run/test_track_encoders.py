"""Track Phrases through every text encoder of the host (tiny): the first row that another word changes is its own."""

import pytest
import torch
from pack.attention.phrases import positions, words
from pack.tests.patches.tracked import encode, tag_of, track
from pack.tests.tiny_encoders import ENCODERS, encoder, is_known

pytestmark = pytest.mark.usefixtures("comfy")
TEXT = "a red cat on a beach"
WEIGHED = {"sd2", "hidream", "omnigen2", "hunyuan_video", "lumina2", "wan", "hydit", "auraflow", "ltxv", "pixart"}


def made(name, **make):
    """The encoder, or a skip on a host that does not have it yet."""
    if not is_known(name):
        pytest.skip("this host has no such text encoder")
    return encoder(name, **make)


def tracked(name, **make):
    return track(made(name, **make))


@pytest.mark.parametrize("name", [name for name in ENCODERS if name != "anima"])
def test_the_row_of_a_word(name):
    given = made(name)
    clip = track(given)
    for text in [TEXT, "a (red:0.8) (cat:1.3) on a beach"][: 1 + (name in WEIGHED)]:
        cat, dog = (encode(clip, text.replace("cat", animal)) for animal in ("cat", "dog"))
        row, later = (positions(word, tag_of(cat))[0][0] for word in ("cat", "beach"))
        assert int((cat[0] != dog[0])[0].any(-1).nonzero()[0]) == row < later
        assert torch.equal(encode(given, text)[0], cat[0])


def test_anima_has_a_row_for_each_t5_token():
    """Its model makes the context from the T5 ids, with the LLM's rows as keys (comfy/ldm/anima/model.py)."""
    clip = tracked("anima")
    cat, dog = (encode(clip, TEXT.replace("cat", animal)) for animal in ("cat", "dog"))
    ((row,),) = positions("cat", tag_of(cat))
    assert (cat[1]["t5xxl_ids"] != dog[1]["t5xxl_ids"]).nonzero().tolist() == [[row]]


@pytest.mark.parametrize("name", ["longcat", "hunyuan_video"])
def test_words_of_a_cut_template_have_no_rows(name):
    found = words(tag_of(encode(tracked(name), TEXT)))
    assert found[:4] == ["a", "red", "cat", "on"] and "describe" not in found


def test_quoted_text_that_a_second_encoder_reads():
    """HunyuanImage also gives it to byT5, whose rows are another tensor's."""
    clip = tracked("hunyuan_image")
    cat, dog = (encode(clip, f'a sign "{word}" on a beach') for word in ("cat", "dog"))
    ((row,),) = positions("cat", tag_of(cat))
    assert "conditioning_byt5small" in cat[1] and int((cat[0] != dog[0])[0].any(-1).nonzero()[0]) == row


def test_lens_makes_no_rows_of_an_empty_prompt():
    entry = encode(tracked("lens"), "")
    assert entry[0].shape[1] == tag_of(entry).rows == 0 and words(tag_of(entry)) == []


def test_an_encoder_that_is_not_in_the_tensor_has_no_rows():
    """HiDream without T5: zeros stand in its place, as many as Llama 3 has tokens."""
    clip = tracked("hidream", t5=False)
    with pytest.raises(ValueError, match="does not know which rows"):
        positions("cat", tag_of(encode(clip, TEXT)))
