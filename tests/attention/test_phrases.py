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
    "phrase", ["con", "ate", "redcat", "the", "concat enate", "concatenate cat black red", "r ed", "cat red"]
)
def test_whole_words_in_order_only(phrase):
    text = CAT.replace("the |", "")
    with pytest.raises(ValueError, match=r"not in the prompt.*a, red, cat, concatenate, cat, black"):
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


@pytest.mark.parametrize(
    ("phrase", "text", "rows"),
    [
        ("long hair", "1girl |, |long|_|hair |, |red |dress ", [(3, 5)]),
        ("long_hair", "long |hair ", [(1, 2)]),
        ("long_hair", "long|_|hair |long |hair ", [(1, 2, 3)]),
        ("saber fate", "saber |(|fate|) ", [(1, 3)]),
        ("saber (fate)", "saber |(|fate|) ", [(1, 3)]),
        ("red dog blue", "red |dog |, |blue |cat ", [(1, 2, 4)]),
        ("red dog.", "a |red |dog |, |red |dog ", [(2, 3), (5, 6)]),
        ("cat concatenate", CAT, [(3, 5, 6, 7, 8)]),
        ("don t", "don|'|t ", [(1, 3)]),
        ("red dog", "red |, |dog |red |dog ", [(4, 5)]),
    ],
)
def test_punctuation_is_passed_over_where_the_phrase_does_not_stand_as_typed(phrase, text, rows):
    assert positions(phrase, tag(text)) == rows


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("ong hai", "long|_|hair "),
        ("longhair", "long|_|hair "),
        ("long hair", "longhair "),
        ("hair long", "long|_|hair "),
        ("red cat", "red |🐱|cat "),
        ("red cat", f"red |{UNREADABLE}|, |cat "),
        (",", "red |cat "),
    ],
)
def test_nothing_else_is_passed_over(phrase, text):
    with pytest.raises(ValueError, match="not in the prompt"):
        positions(phrase, tag(text))


def test_emoji_and_their_parts():
    text = tag("a |👩|\u200d|🚀 |❤|\ufe0f |👍|🏽 |🐱|🐶 ")
    assert words(text) == ["a", "👩\u200d🚀", "❤\ufe0f", "👍🏽", "🐱", "🐶"]
    assert positions("👩\u200d🚀", text) == [(2, 3, 4)] and positions("🐶", text) == [(10,)]
    for part in ("👩", "🚀", "❤", "👍"):
        with pytest.raises(ValueError, match="not in the prompt"):
            positions(part, text)


def test_accents_typed_as_one_character_or_two():
    text = tag("cafe |\u0301 |é |ガ |カ ")
    for phrase in ("café", "cafe\u0301"):
        assert positions(phrase, text) == [(1, 2)]
    assert positions("カ", text) == [(5,)] and words(text) == ["café", "é", "ガ", "カ"]


def test_whatever_the_message_lists_can_be_typed():
    text = tag(f"1girl |, |a |red|_|cat |(|old|) |, |a |dog's |{UNREADABLE}|2 |0 |c|++ |猫|犬 |हि|न्दी |🐱|! |a |cat ")
    with pytest.raises(ValueError) as refused:
        positions("horse", text)
    shown = str(refused.value).rstrip(".").rpartition(": ")[2]
    assert shown.startswith("1girl, a, red, cat, old, a, dog, s, …, 2, 0, c, 猫, 犬,")
    for run in (part.strip(", ").split(", ") for part in shown.split("…")):
        for i in range(len(run)):
            for j in range(i + 1, len(run) + 1):
                assert positions(" ".join(run[i:j]), text) and positions(", ".join(run[i:j]), text)


def test_messages_are_short_and_many_phrases_take_no_longer_each():
    text = tag("|".join(f"w{i} " for i in range(10000)))
    with pytest.raises(ValueError, match="w0, w1, .* and 99[67]. more") as refused:
        positions("x" * 80000, text)
    assert len(str(refused.value)) < 600
    reads = text.encoders[0].letters
    positions("w17 w18", text)
    assert text.encoders[0].letters is reads
