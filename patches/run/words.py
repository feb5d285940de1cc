"""Where a run's conditionings hold a phrase."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from ...attention.phrases import Rows, Tag, positions
from ...attention.quote import short
from ...attention.regions import Region
from .rows import Entry
from .track import KEY, read_tag


def rows_of(phrase: str, entry: Entry, occurrence: int = 0) -> Rows:
    """Text rows of a phrase in one conditioning, of all its occurrences or the n-th; empty if it is not there."""
    found = _occurrences(phrase, entry.tag)
    chosen = found[occurrence - 1 : occurrence] if occurrence else found
    return tuple(sorted({row for rows in chosen for row in rows if row < entry.tokens}))


def explain(phrase: str, entries: Iterable[Entry], occurrence: int = 0) -> None:
    """Raises why a phrase is in none of these conditionings: no tag, not in the prompt, or not that often."""
    tags = [entry.tag for entry in entries if entry.tag is not None] or [read_tag({})]
    found = max((_occurrences(phrase, tag) for tag in tags), key=len) or positions(phrase, tags[0])
    if occurrence > len(found):
        raise ValueError(
            f"The phrase '{short(phrase)}' stands {len(found)} times in the prompt, but the region asks for occurrence "
            f"{occurrence}; use 0 for all of them or a number up to {len(found)}."
        )
    raise ValueError(f"The text of '{short(phrase)}' was cut off behind the encoder; use fewer words before it.")


def check_phrases(regions: Iterable[Region], conditioning: list) -> None:
    """ValueError: a region's phrase is in none of a CONDITIONING's prompts, or not as often as it asks."""
    entries = [_entry(i, text, options.get(KEY)) for i, (text, options) in enumerate(conditioning)]
    for region in regions:
        if not region.neutral and not any(rows_of(region.phrase, entry, region.occurrence) for entry in entries):
            explain(region.phrase, entries, region.occurrence)


def _entry(number: int, text: Tensor, tag: Tag | None) -> Entry:
    """Of a text (1, n, C) that no model got yet."""
    rows = max(text.shape[1], tag.rows if tag else 0)
    return Entry("positive", number, rows, slice(0, rows), tag, None)


def _occurrences(phrase: str, tag: Tag | None) -> list[Rows]:
    try:
        return [] if tag is None else positions(phrase, tag)
    except ValueError:
        return []
