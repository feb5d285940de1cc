"""Text as letters with their rows, and where the words of a phrase stand in it.

js/canvas/letters.mjs finds phrases by the same rules in the browser.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from .pieces import UNREADABLE
from .words import is_word_char

Rows = tuple[int, ...]

UNKNOWN = "…"
"""Stands for a token without text among the words of a prompt; a typed ellipsis is read as three dots."""

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff]")
"""Scripts written without spaces (Thai, Lao, Burmese, Khmer, Chinese, Japanese): every character may end a word."""

_JOINER = "\u200d"
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


@dataclass(frozen=True)
class Letters:
    """Text without whitespace: characters, the rows of each, and the indices that whitespace stood before."""

    text: str
    rows: tuple[Rows, ...]
    gaps: frozenset[int]

    def edge(self, i: int) -> bool:
        """Whether a word may begin or end before character i."""
        if i in (0, len(self.text)):
            return True
        left, right = self.text[i - 1], self.text[i]
        if _is_mark(right) or left == _JOINER:
            return False
        glued = is_word_char(left) and is_word_char(right)
        return i in self.gaps or not glued or bool(_UNSPACED.match(left) or _UNSPACED.match(right))

    def spans(self) -> list[tuple[int, int]]:
        """Words, emoji and single marks of punctuation, from edge to edge."""
        edges = [i for i in range(len(self.text) + 1) if self.edge(i)]
        return list(zip(edges, edges[1:], strict=False))

    def words(self) -> tuple[str, ...]:
        """Words and emoji with at least one row, in order; UNKNOWN where no phrase reaches across."""
        reached = [self.text[a:b] for a, b in self.spans() if any(self.rows[a:b])]
        return tuple(UNKNOWN if word == UNREADABLE else word for word in reached if _is_kept(word[0]))

    def without_punctuation(self) -> Letters:
        """Words, emoji and what is unreadable, with gaps where punctuation stood."""
        text, rows, gaps = [], [], set()
        for a, b in self.spans():
            kept = _is_kept(self.text[a])
            if a in self.gaps or not kept:
                gaps.add(len(text))
            if kept:
                text += self.text[a:b]
                rows += self.rows[a:b]
        return Letters("".join(text), tuple(rows), frozenset(gaps))


def read(pieces: Iterable[tuple[str, int | None]]) -> Letters:
    """Pieces of text and their rows (None: no row); case and compatibility forms are folded, accents composed."""
    encoded = [(text.encode("utf-8", "surrogateescape"), row) for text, row in pieces]
    owner = [row for raw, row in encoded for _ in raw]
    text, rows, gaps, at = [], [], set(), 0
    for char in b"".join(raw for raw, _ in encoded).decode("utf-8", "surrogateescape"):
        size = len(char.encode("utf-8", "surrogateescape"))
        own = tuple(dict.fromkeys(row for row in owner[at : at + size] if row is not None))
        at += size
        for part in unicodedata.normalize("NFKC", char).casefold():
            whole = unicodedata.normalize("NFC", text[-1] + part) if text and unicodedata.combining(part) else ""
            if part.isspace():
                gaps.add(len(text))
            elif len(whole) == 1:  # 'e' and a combining accent, which CLIP's tokenizer parts
                text[-1], rows[-1] = whole, tuple(dict.fromkeys(rows[-1] + own))
                gaps.discard(len(text))
            else:
                text.append(part)
                rows.append(own)
    return Letters("".join(text), tuple(rows), frozenset(gaps))


def occurrences(wanted: Letters, prompt: Letters) -> list[Rows]:
    """Rows of each place where the phrase stands as whole words; empty where the text never reaches cross-attention."""
    found, size = [], len(wanted.text)
    start = prompt.text.find(wanted.text) if size else -1
    while start >= 0:
        whole = _same_words(wanted, prompt, start)
        if whole:
            found.append(tuple(sorted({row for rows in prompt.rows[start : start + size] for row in rows})))
        start = prompt.text.find(wanted.text, start + (size if whole else 1))
    return found


def _same_words(wanted: Letters, prompt: Letters, start: int) -> bool:
    """'cat' is not in 'concatenate', 'a part' is not 'apart', and the other way round."""
    if not (prompt.edge(start) and prompt.edge(start + len(wanted.text))):
        return False
    for i in range(1, len(wanted.text)):
        pair = wanted.text[i - 1 : i + 1]
        letters = pair.isalpha() and not _UNSPACED.search(pair)  # BERT's tokenizer parts Chinese characters
        if i in wanted.gaps and not prompt.edge(start + i):
            return False
        if i not in wanted.gaps and letters and start + i in prompt.gaps:
            return False
    return True


def _is_mark(char: str) -> bool:
    """Belongs to the character before it: accents and vowel signs, and what shapes an emoji."""
    return unicodedata.category(char)[0] == "M" or char == _JOINER or char in _SKIN_TONES


def _is_kept(char: str) -> bool:
    """Begins what a user would type as a word (letters, digits, symbols such as emoji), or is UNREADABLE."""
    return is_word_char(char) or unicodedata.category(char) == "So"
