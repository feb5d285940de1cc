"""Vocabulary entries of the four kinds of tokenizers as text."""

import pytest
from pack.attention.pieces import UNREADABLE, Reader, style_of, text_of


@pytest.mark.parametrize(
    ("vocabulary", "style", "text"),
    [
        (["con", "cat</w>", "red</w>"], "clip", "concat red "),
        (["a", "Ġred", "Ġcat", "##"], "byte", "a red cat##"),
        (["▁a", "▁con", "cat"], "sentencepiece", " a concat"),
        (["con", "##cat", "##en"], "wordpiece", " concaten"),
    ],
)
def test_style_and_text(vocabulary, style, text):
    assert style_of(vocabulary) == style
    assert "".join(text_of(piece, style) for piece in vocabulary) == text


def test_a_character_split_over_pieces_is_whole_when_joined():
    pieces = ["ç", "Į", "«</w>"]  # the three bytes of 猫 in CLIP's vocabulary
    raw = "".join(text_of(piece, "clip") for piece in pieces).encode("utf-8", "surrogateescape")
    assert raw.decode() == "猫 "
    fallback = "".join(text_of(piece, "sentencepiece") for piece in ["<0xC3>", "<0xA9>"])
    assert fallback.encode("utf-8", "surrogateescape").decode() == "é"


def test_special_and_unknown_ids_have_no_text():
    reader = Reader({0: "<unk>", 1: "▁cat"}, "sentencepiece", end=None, silent=frozenset(), special=frozenset({0}))
    assert [reader.text(token) for token in (0, 1, 99)] == [UNREADABLE, " cat", UNREADABLE]
