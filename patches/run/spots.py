"""Which text rows of a run's conditionings hold which phrases and words."""

from __future__ import annotations

from ...attention.phrases import prompt_content_words
from .rows import Entry
from .words import explain, rows_of

Spots = dict[str, tuple[int, ...]]
"""Word or phrase -> its text rows in one conditioning."""


def places_in(phrases: tuple[str, ...], entry: Entry) -> Spots:
    """Text rows of every phrase and content word that this conditioning holds."""
    words = (*phrases, *(prompt_content_words(entry.tag) if entry.tag else ()))
    return {word: rows for word in dict.fromkeys(words) if (rows := rows_of(word, entry))}


def why_unseen(phrase: str, entries: list[Entry]) -> None:
    """Raises why none of the conditionings that act shows a phrase; entries: all of them."""
    if any(rows_of(phrase, entry) for entry in entries):
        raise ValueError(
            f"The prompt with '{phrase}' does not act at the noise levels looked at; change start and end percent, or "
            "the range that its conditioning was given."
        )
    explain(phrase, entries)


def others_of(phrase: str, entries: list[Entry], places: dict[tuple, Spots]) -> tuple[str, ...]:
    """Content words that share no text row with the phrase."""
    found: dict[str, None] = {}
    for entry in entries:
        spots = places[entry.key]
        for word in prompt_content_words(entry.tag) if phrase in spots else ():
            if word in spots and not set(spots[word]) & set(spots[phrase]):
                found[word] = None
    return tuple(found)


def rivals_of(phrase: str, phrases: tuple[str, ...], places: dict[tuple, Spots]) -> tuple[str, ...]:
    """The phrases that share no text row with this one."""
    return tuple(other for other in phrases if not any(_meet(spots, phrase, other) for spots in places.values()))


def _meet(spots: Spots, phrase: str, other: str) -> bool:
    return bool(set(spots.get(phrase, ())) & set(spots.get(other, ())))
