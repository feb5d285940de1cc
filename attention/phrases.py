"""Where a phrase of the prompt lies in the conditioning tensor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .letters import UNKNOWN, Letters, Rows, occurrences, read
from .quote import listed, short
from .words import content_words, plain


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

    @cached_property
    def letters(self) -> Letters:
        return read((piece.text, piece.row) for piece in self.pieces)

    @cached_property
    def bare(self) -> Letters:
        return self.letters.without_punctuation()

    @cached_property
    def words(self) -> tuple[str, ...]:
        return self.letters.words()


@dataclass(frozen=True)
class Tag:
    """The text behind one conditioning; `rows` is the tensor's token count when it was encoded."""

    encoders: tuple[Encoder, ...]
    rows: int

    @cached_property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """The words that reach cross-attention, in order and with repeats, of each encoder that saw another text."""
        named = [encoder.words for encoder in self.encoders if any(word != UNKNOWN for word in encoder.words)]
        return tuple({"".join(text): text for text in named}.values())

    @cached_property
    def lost(self) -> bool:
        """There are words, but nobody knows which rows they have."""
        rows = [piece.row for encoder in self.encoders for piece in encoder.pieces]
        return bool(rows) and all(row is None for row in rows)


def positions(phrase: str, tag: Tag) -> list[Rows]:
    """Every occurrence of a phrase, each as the rows of the conditioning tensor that hold it.

    phrase: words as in the prompt, in any case; weights and escapes are read as the prompt's are. Where it does not
    stand so in a text, punctuation is passed over: 'long hair' is found in 'long_hair', 'saber fate' in 'saber (fate)'.
    Where several encoders see the prompt (SDXL, SD3), an occurrence joins the rows that it has in each.
    ValueError: the phrase is empty, is not in the prompt, or is in no text that reaches cross-attention.
    """
    wanted = _wanted(phrase)
    bare = wanted.without_punctuation()
    found = [(e.name, occurrences(wanted, e.letters) or occurrences(bare, e.bare)) for e in tag.encoders]
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
    return list(dict.fromkeys(word for text in tag.texts for word in text if word != UNKNOWN))


def prompt_content_words(tag: Tag) -> list[str]:
    """The words of the prompt that name something to see (no articles, prepositions, pronouns, numbers)."""
    return content_words(words(tag))


def _wanted(phrase: str) -> Letters:
    if "embedding:" in phrase:
        raise ValueError(
            f"The phrase '{short(phrase)}' names an embedding, which has no words to look for; use words of the prompt."
        )
    wanted = read([(plain(phrase), None)])
    if not wanted.text:
        raise ValueError("The phrase is empty; type words of the prompt.")
    return wanted


def _why_not(phrase: str, tag: Tag, seen_by: list[str]) -> str:
    if seen_by and tag.texts:
        return (
            f"The phrase '{short(phrase)}' is only in the text of the encoder {' and '.join(seen_by)}, which this "
            f"model's cross-attention never sees; write it into the text that it sees: {_readable(tag)}."
        )
    if tag.lost:
        return (
            f"The phrase '{short(phrase)}' cannot be placed, because Track Phrases does not know which rows this text "
            "encoder gives to which words; use one of ComfyUI's own text encoders, loaded with all its parts."
        )
    return f"The phrase '{short(phrase)}' is not in the prompt; use its words in their order: {_readable(tag)}."


def _readable(tag: Tag) -> str:
    return "; ".join(map(listed, tag.texts)) or "none, it is empty"
