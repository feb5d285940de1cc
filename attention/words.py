"""Words of a prompt without its weight syntax, and which of them name something to see."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

PLACES = frozenset(
    "in on at under above over below beneath underneath beside besides behind near against inside outside within "
    "among amid amidst across along around through beyond atop upon by between onto into during".split()
)
"""Prepositions that start a scene; 'of', 'with', 'left of' and the like stay with their noun."""

FUNCTION_WORDS = PLACES | frozenset(
    "a an the of with without for from to as like than and or nor but not no so if is are was were be been being am "
    "it its this that these those there here he she they we you i his her hers their theirs our your my him them us "
    "who whose which what where when while has have had do does did can could will would shall should may might must "
    "very also just only both each every some any all off out up down left right next front top s t".split()
)


def plain(text: str) -> str:
    """The text that the host tokenises: '(a red cat:1.2)' -> 'a red cat', and '\\(' -> '('.

    Follows ComfyUI's comfy/sd1_clip.py (escape_important, parse_parentheses, token_weights).
    """
    hidden = text.replace("\\)", "\0\1").replace("\\(", "\0\2")
    return _unweighted(hidden).replace("\0\1", ")").replace("\0\2", "(")


def _unweighted(text: str) -> str:
    """Takes brackets and their weights off from the outside inwards, each level as the host reads it."""
    closing, colons = _brackets(text)
    kept, spans = [], [(0, len(text))]
    while spans:
        start, stop = spans.pop()
        opening = _opening(text, start, stop)
        kept.append(text[start:opening])
        if opening == stop:
            continue
        end = min(closing.get(opening, stop) + 1, stop)
        spans.append((end, stop))
        if text[end - 1] == ")":  # also one that belongs to a bracket within: an open bracket ends with the text
            spans.append((opening + 1, _before_weight(text, opening + 1, end - 1, colons)))
        else:
            kept.append(text[opening:end])
    return "".join(kept)


def _brackets(text: str) -> tuple[dict[int, int], dict[int, int]]:
    """Indices: opening bracket -> its closing one, and closing bracket -> the colon of a weight before it, or -1."""
    closing, colons, opened, colon = {}, {}, [], -1
    for i, char in enumerate(text):
        if char == ":":
            colon = i
        elif char == "(":
            opened.append(i)
            colon = -1
        elif char == ")":
            colons[i], colon = colon, -1
            if opened:
                closing[opened.pop()] = i
    return closing, colons


def _opening(text: str, start: int, stop: int) -> int:
    """The first bracket that opens a group, or `stop`; one behind a surplus ')' only pays for that."""
    surplus = 0
    for i in range(start, stop):
        if text[i] == "(" and surplus == 0:
            return i
        surplus += (text[i] == ")") - (text[i] == "(")
    return stop


def _before_weight(text: str, start: int, stop: int, colons: dict[int, int]) -> int:
    """Where the content of a bracket ends: before ':1.2', if anything stands before that."""
    colon = colons[stop]
    return colon if colon > start and _is_number(text[colon + 1 : stop]) else stop


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_word_char(char: str) -> bool:
    """Letters, combining marks and digits make words; everything else ends one."""
    return unicodedata.category(char)[0] in "LMN"


def content_words(words: Iterable[str]) -> list[str]:
    """The words that can be seen in a picture, each once and in order: no articles, prepositions, pronouns, numbers."""
    seen = dict.fromkeys(words)
    return [word for word in seen if word.lower() not in FUNCTION_WORDS and any(c.isalpha() for c in word)]
