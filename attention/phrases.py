"""Where a phrase of the prompt lies in the conditioning tensor."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from .words import content_words, is_word_char, plain

Rows = tuple[int, ...]

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff]")
"""Scripts written without spaces (Thai, Lao, Burmese, Khmer, Chinese, Japanese): every character may end a word."""


@dataclass(frozen=True)
class Piece:
    """One token: its text (a space marks the edge of a word) and its row of the conditioning tensor."""

    text: str
    row: int | None
    """None where the token never reaches cross-attention."""


@dataclass(frozen=True)
class Encoder:
    """What one text encoder was given; start, end and padding tokens are left out."""

    name: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Tag:
    """The text behind one conditioning; `rows` is the tensor's token count when it was encoded."""

    encoders: tuple[Encoder, ...]
    rows: int


@dataclass(frozen=True)
class _Letters:
    """Text without whitespace: characters, the rows of each, and the indices that whitespace stood before."""

    text: str
    rows: tuple[Rows, ...]
    gaps: frozenset[int]

    def edge(self, i: int) -> bool:
        """Whether a word may begin or end before character i."""
        if i in self.gaps or i in (0, len(self.text)):
            return True
        left, right = self.text[i - 1], self.text[i]
        glued = is_word_char(left) and is_word_char(right)
        return not glued or bool(_UNSPACED.match(left) or _UNSPACED.match(right))


def positions(phrase: str, tag: Tag) -> list[Rows]:
    """Every occurrence of a phrase, each as the rows of the conditioning tensor that hold it.

    phrase: words as in the prompt, in any case; weights and escapes are read as the prompt's are.
    Where several encoders see the prompt (SDXL, SD3), an occurrence joins the rows that it has in each.
    ValueError: the phrase is empty, is not in the prompt, or is in no text that reaches cross-attention.
    """
    wanted = _wanted(phrase)
    found = [(encoder.name, _occurrences(wanted, _letters(encoder.pieces))) for encoder in tag.encoders]
    hits = [(name, rows) for name, rows in found if rows]
    reached = [[row for row in rows if row] for _, rows in hits]
    reached = [rows for rows in reached if rows]
    if not reached:
        raise ValueError(_why_not(phrase, tag, [name for name, _ in hits]))
    if len({len(rows) for rows in reached}) == 1:  # the same text everywhere: the n-th of one is the n-th of all
        return [tuple(sorted({row for part in parts for row in part})) for parts in zip(*reached, strict=True)]
    return list(dict.fromkeys(row for rows in reached for row in rows))


def words(tag: Tag) -> list[str]:
    """The words that reach cross-attention, lower case, each once and in order."""
    return list(dict.fromkeys(word for encoder in tag.encoders for word in _words(_letters(encoder.pieces))))


def prompt_content_words(tag: Tag) -> list[str]:
    """The words of the prompt that name something to see (no articles, prepositions, pronouns, numbers)."""
    return content_words(words(tag))


def _wanted(phrase: str) -> _Letters:
    if "embedding:" in phrase:
        raise ValueError(
            f"The phrase '{phrase}' names an embedding, which has no words to look for; use words of the prompt."
        )
    text = unicodedata.normalize("NFKC", plain(phrase))
    wanted = _letters((Piece(text, None),))
    if not wanted.text:
        raise ValueError("The phrase is empty; type words of the prompt.")
    return wanted


def _letters(pieces: tuple[Piece, ...]) -> _Letters:
    raw = b"".join(piece.text.encode("utf-8", "surrogateescape") for piece in pieces)
    owner = [piece.row for piece in pieces for _ in piece.text.encode("utf-8", "surrogateescape")]
    text, rows, gaps, at = [], [], set(), 0
    for char in raw.decode("utf-8", "surrogateescape"):
        size = len(char.encode("utf-8", "surrogateescape"))
        own = tuple(dict.fromkeys(row for row in owner[at : at + size] if row is not None))
        at += size
        for part in unicodedata.normalize("NFKC", char).casefold():
            if part.isspace():
                gaps.add(len(text))
            else:
                text.append(part)
                rows.append(own)
    return _Letters("".join(text), tuple(rows), frozenset(gaps))


def _occurrences(wanted: _Letters, prompt: _Letters) -> list[Rows]:
    """Rows of each place where the phrase stands as whole words; empty where the text never reaches cross-attention."""
    found, size = [], len(wanted.text)
    start = prompt.text.find(wanted.text)
    while start >= 0:
        whole = _same_words(wanted, prompt, start)
        if whole:
            found.append(tuple(sorted({row for rows in prompt.rows[start : start + size] for row in rows})))
        start = prompt.text.find(wanted.text, start + (size if whole else 1))
    return found


def _same_words(wanted: _Letters, prompt: _Letters, start: int) -> bool:
    """'cat' is not in 'concatenate', 'a part' is not 'apart', and the other way round."""
    if not (prompt.edge(start) and prompt.edge(start + len(wanted.text))):
        return False
    for i in range(1, len(wanted.text)):
        letters = wanted.text[i - 1].isalpha() and wanted.text[i].isalpha()
        if i in wanted.gaps and not prompt.edge(start + i):
            return False
        if i not in wanted.gaps and letters and start + i in prompt.gaps:
            return False
    return True


def _words(prompt: _Letters) -> list[str]:
    """Words with at least one row, without punctuation."""
    edges = [i for i in range(len(prompt.text) + 1) if prompt.edge(i)]
    spans = [(a, b) for a, b in zip(edges, edges[1:], strict=False) if any(prompt.rows[a:b])]
    return [prompt.text[a:b] for a, b in spans if is_word_char(prompt.text[a])]


def _why_not(phrase: str, tag: Tag, seen_by: list[str]) -> str:
    reachable = words(tag)
    if seen_by and reachable:
        return (
            f"The phrase '{phrase}' is only in the text of the encoder {' and '.join(seen_by)}, which this model's "
            f"cross-attention never sees; write it into the text that it sees: {', '.join(reachable)}."
        )
    rows = [piece.row for encoder in tag.encoders for piece in encoder.pieces]
    if rows and not any(row is not None for row in rows):
        return (
            f"The phrase '{phrase}' cannot be placed, because Track Phrases does not know which rows this text encoder "
            "gives to which words; use a text encoder of SD1, SD2, SDXL, SD3, Flux or one T5 or LLM without images."
        )
    listed = ", ".join(reachable) if reachable else "none, it is empty"
    return f"The phrase '{phrase}' is not in the prompt; use its words in their order: {listed}."
