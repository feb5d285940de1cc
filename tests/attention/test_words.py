"""Weight syntax against the host's own parser, and content words."""

import random
import time

import pytest
from pack.attention.words import content_words, plain


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a (red cat:1.2)", "a red cat"),
        ("((red)) (cat)", "red cat"),
        ("(a (b:1.2) c:0.9) d", "a b c d"),
        (r"a \(real\) cat", "a (real) cat"),
        ("(ratio 16:9)", "ratio 16"),
        ("(note: cat)", "note: cat"),
        (r"(cat \(grey\):1.3)", "cat (grey)"),
    ],
)
def test_weights_and_escapes(typed, read):
    assert plain(typed) == read


def test_the_same_as_the_hosts_parser_on_any_brackets(comfy):
    from comfy.sd1_clip import escape_important, token_weights, unescape_important

    pick = random.Random(0)
    for _ in range(2000):
        text = "".join(pick.choice(["(", ")", "(", ")", ":", "1.2", "a", " b", "\\(", "\\)"]) for _ in range(12))
        segments = [unescape_important(segment) for segment, _ in token_weights(escape_important(text), 1.0)]
        assert plain(text) == "".join(segments), text


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("(" * 2000 + "red" + ")" * 2000, "red"),
        ("(" * 40000 + "red:1.2" + ")" * 40000, "red"),
        ("(" * 80000, "(" * 80000),
        ("(" * 60000 + "a" + ")" * 20000, "(" * 40000 + "a"),
        (")(" * 40000, ")(" * 40000),
        ("(:" * 40000 + ")" * 40000, ":" * 40000),
    ],
)
def test_deep_brackets(typed, read):
    start = time.perf_counter()
    assert plain(typed) == read
    assert time.perf_counter() - start < 10  # 0.1 s; a walk over all of it at each depth takes many minutes


def test_content_words_name_something_to_see():
    words = "a red cat with a cat on the 2 beaches and its shadow".split()
    assert content_words(words) == ["red", "cat", "beaches", "shadow"]
