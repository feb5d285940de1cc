"""Where a run's conditionings hold a phrase."""

from __future__ import annotations

from collections.abc import Iterable

from ..attention.phrases import positions
from .rows import Entry
from .track import read_tag


def rows_of(phrase: str, entry: Entry, occurrence: int = 0) -> tuple[int, ...]:
    """Text rows of a phrase in one conditioning, of all its occurrences or the n-th; empty if it is not there."""
    if entry.tag is None:
        return ()
    try:
        found = positions(phrase, entry.tag)
    except ValueError:
        return ()
    chosen = found[occurrence - 1 : occurrence] if occurrence else found
    return tuple(sorted({row for rows in chosen for row in rows if row < entry.tokens}))


def explain(phrase: str, entries: Iterable[Entry], occurrence: int = 0) -> None:
    """Raises why a phrase is in none of these conditionings: no tag, not in the prompt, or not that often."""
    tagged = [entry for entry in entries if entry.tag is not None]
    found = positions(phrase, tagged[0].tag if tagged else read_tag({}))
    if occurrence > len(found):
        raise ValueError(
            f"The phrase '{phrase}' stands {len(found)} times in the prompt, but the region asks for occurrence "
            f"{occurrence}; use 0 for all of them or a number up to {len(found)}."
        )
    raise ValueError(f"The text of '{phrase}' was cut off behind the encoder; use fewer words before it.")
