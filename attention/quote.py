"""What a user typed, short enough for an error message."""

from __future__ import annotations

from collections.abc import Sequence

_TEXT = 60
_WORDS = 40
_LETTERS = 400
_LARGE = 1e30  # whole numbers know no bound, but those of a message do


def short(text: str) -> str:
    """A text in one line of at most 60 characters; what was cut off is an ellipsis."""
    line = " ".join(text[: 10 * _TEXT].split())
    return line if len(line) <= _TEXT and len(text) <= 10 * _TEXT else line[: _TEXT - 1] + "…"


def listed(words: Sequence[str]) -> str:
    """'red, cat, beach and 12 more': at most 40 words and about 400 characters."""
    shown, letters = [], 0
    for word in map(short, words[:_WORDS]):
        letters += len(word) + 2
        if letters > _LETTERS:
            break
        shown.append(word)
    rest = len(words) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def figure(value: float) -> str:
    """A number of any size, also a whole one that no float holds."""
    return f"{value:g}" if value != value or abs(value) < _LARGE else "a very large number"
