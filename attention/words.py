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
    parts = _outer_brackets(text)
    return "".join(_unweighted(_content(part)) if _bracketed(part) else part for part in parts)


def _bracketed(part: str) -> bool:
    return len(part) >= 2 and part[0] == "(" and part[-1] == ")"


def _content(part: str) -> str:
    inner = part[1:-1]
    before, _, weight = inner.rpartition(":")
    return before if before and _is_number(weight) else inner


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _outer_brackets(text: str) -> list[str]:
    """Splits at the outermost brackets, which stay on their parts."""
    parts, depth = [""], 0
    for char in text:
        if char == "(" and depth == 0:
            parts.append("")
        parts[-1] += char
        depth += (char == "(") - (char == ")")
        if char == ")" and depth == 0:
            parts.append("")
    return [part for part in parts if part]


def is_word_char(char: str) -> bool:
    """Letters, combining marks and digits make words; everything else ends one."""
    return unicodedata.category(char)[0] in "LMN"


def content_words(words: Iterable[str]) -> list[str]:
    """The words that can be seen in a picture, each once and in order: no articles, prepositions, pronouns, numbers."""
    seen = dict.fromkeys(words)
    return [word for word in seen if word.lower() not in FUNCTION_WORDS and any(c.isalpha() for c in word)]
