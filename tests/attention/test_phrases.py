"""Phrases in hand-made pieces: rows, whole words, repeats, and the three refusals."""

import pytest
from pack.attention.phrases import Encoder, Piece, Tag, positions, prompt_content_words, words
from pack.attention.pieces import UNREADABLE


def encoder(name: str, text: str, first: int | None = 1) -> Encoder:
    """Pieces split at '|'; rows count up from `first`, None leaves them out."""
    pieces = text.split("|")
    return Encoder(name, tuple(Piece(p, None if first is None else first + i) for i, p in enumerate(pieces)))


def tag(text: str) -> Tag:
    return Tag((encoder("l", text),), 77)


CAT = "a |red |cat |, |con|cat|en|ate |the |Cat |black |- |and |- |white |2 |0 |don |'t "


@pytest.mark.parametrize(
    ("phrase", "rows"),
    [
        ("cat", [(3,), (10,)]),
        ("CAT", [(3,), (10,)]),
        ("red cat", [(2, 3)]),
        ("(red cat:1.3)", [(2, 3)]),
        ("  red\n cat ", [(2, 3)]),
        ("cat, concatenate", [(3, 4, 5, 6, 7, 8)]),
        ("black-and-white", [(11, 12, 13, 14, 15)]),
        ("20", [(16, 17)]),
        ("don't", [(18, 19)]),
    ],
)
def test_rows_of_each_occurrence(phrase, rows):
    assert positions(phrase, tag(CAT)) == rows


@pytest.mark.parametrize(
    "phrase", ["con", "ate", "redcat", "the", "concat enate", "cat concatenate", "r ed", "cat red"]
)
def test_whole_words_in_order_only(phrase):
    text = CAT.replace("the |", "")
    with pytest.raises(ValueError, match=r"not in the prompt.*a, red, cat, concatenate, black"):
        positions(phrase, tag(text))


def test_spaces_must_be_where_the_prompt_has_them():
    assert positions("a part", tag("a |part |apart ")) == [(1, 2)]
    assert positions("apart", tag("a |part |apart ")) == [(3,)]


def test_brackets_and_accents():
    text = tag("a |cat |(|grey|) |cafe\u0301 |ﬁne |straße ")
    assert positions(r"cat \(grey\)", text) == [(2, 3, 4, 5)]
    assert positions("FINE", text) == [(7,)]
    assert positions("STRASSE", text) == [(8,)]
    with pytest.raises(ValueError, match="not in the prompt"):
        positions("cafe", tag("caf|é "))


def test_a_character_of_several_pieces_takes_all_their_rows():
    raw = "猫".encode()
    pieces = [Piece(bytes([byte]).decode("utf-8", "surrogateescape"), 4 + i) for i, byte in enumerate(raw)]
    text = Tag((Encoder("l", (Piece("a ", 3), *pieces, Piece("犬 ", 7))),), 77)
    assert positions("猫", text) == [(4, 5, 6)]
    assert positions("猫犬", text) == [(4, 5, 6, 7)]


def test_no_phrase_reaches_across_an_embedding():
    text = tag(f"a |red |{UNREADABLE}|cat ")
    assert positions("cat", text) == [(4,)]
    with pytest.raises(ValueError, match="not in the prompt"):
        positions("red cat", text)
    with pytest.raises(ValueError, match="names an embedding"):
        positions("red embedding:style cat", text)


def test_encoders_that_saw_the_same_text_join_their_rows():
    both = Tag((encoder("l", "red |cat |cat "), encoder("t5xxl", " red| cat| cat", 77)), 154)
    assert positions("cat", both) == [(2, 78), (3, 79)]


def test_encoders_that_saw_different_texts_keep_theirs():
    both = Tag((encoder("l", "a |cat "), encoder("g", "cat |cat ")), 77)
    assert positions("cat", both) == [(2,), (1,)]
    assert positions("a cat", both) == [(1, 2)]


def test_a_text_that_cross_attention_never_sees():
    flux = Tag((encoder("l", "a |dog ", None), encoder("t5xxl", " a| cat", 0)), 256)
    assert positions("cat", flux) == [(1,)]
    with pytest.raises(ValueError, match="only in the text of the encoder l,.*sees: a, cat"):
        positions("dog", flux)
    with pytest.raises(ValueError, match="does not know which rows"):
        positions("cat", Tag((encoder("llama", " a| cat", None),), 99))


@pytest.mark.parametrize("phrase", ["", "  ", "()", "( :1.2)"])
def test_an_empty_phrase(phrase):
    with pytest.raises(ValueError, match="phrase is empty"):
        positions(phrase, tag(CAT))


def test_an_empty_prompt_says_so():
    with pytest.raises(ValueError, match="none, it is empty"):
        positions("cat", Tag((Encoder("l", ()),), 77))


def test_words_of_the_prompt():
    text = Tag((encoder("l", "a |red |cat |, |on |a |beach "), encoder("g", "a |blue |cat ")), 77)
    assert words(text) == ["a", "red", "cat", "on", "beach", "blue"]
    assert prompt_content_words(text) == ["red", "cat", "beach", "blue"]
