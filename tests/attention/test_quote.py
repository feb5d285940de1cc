"""User text in messages: one line, and short."""

import pytest
from pack.attention.quote import listed, short


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("red cat", "red cat"),
        (" red\n  cat\t", "red cat"),
        ("", ""),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        ("x" * 80000, "x" * 59 + "…"),
        ("red" + " " * 80000 + "cat", "red…"),
    ],
)
def test_short(text, shown):
    assert short(text) == shown


def test_listed():
    assert listed([]) == "" and listed(["red", "cat"]) == "red, cat"
    assert listed(["a"] * 10000) == ", ".join(["a"] * 40) + " and 9960 more"
    long = listed(["x" * 80000] * 10)
    assert len(long) < 450 and long.endswith(" and 4 more")
