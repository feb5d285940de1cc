"""Another text for a part of the schedule: CONDITIONING entries whose percent ranges meet."""

from __future__ import annotations

Entry = list
"""One element of a CONDITIONING: [text (B, N, D), dict]."""

EDGE = 1e-5  # as in the host's conditioning_set_values_with_timestep_range


def during(entry: Entry, moved: Entry, start: float, end: float) -> list[Entry]:
    """`moved` from start to end percent of the noise schedule, `entry` before and after, within entry's own range.

    The host counts both ends of a range in, so two ranges that meet share one noise level, where it would average
    them; EDGE puts that level outside the window and off every schedule. A gap, where there is no text, never is.
    """
    first = max(entry[1].get("start_percent", 0.0), entry[1].get("clip_start_percent", 0.0))
    last = min(entry[1].get("end_percent", 1.0), entry[1].get("clip_end_percent", 1.0))
    opens, closes = start - EDGE, end + EDGE
    if start == end or start >= last or end <= first:
        return [entry]
    before = [_with(entry, end_percent=opens)] if opens > first else []
    after = [_with(entry, start_percent=closes)] if closes < last else []
    inside = {"start_percent": opens} if before else {}
    inside |= {"end_percent": closes} if after else {}
    return [*before, _with(moved, **inside), *after]


def _with(entry: Entry, **values: float) -> Entry:
    return [entry[0], {**entry[1], **values}]
