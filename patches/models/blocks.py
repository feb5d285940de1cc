"""Block lists such as `in.4-8, mid.0, out.3-5`."""

from __future__ import annotations

import re

from ...attention.quote import short

NUMBER = r"\d{1,6}"
_PART = re.compile(rf"([a-z_]+)(?:\.({NUMBER})(?:\s*-\s*({NUMBER}))?)?")


def parse_blocks(text: str, real: list[str]) -> frozenset[str]:
    """The chosen names among `real` (such as 'in.4'); an empty text chooses all.

    A range may run over blocks without attention, but must hold one with. ValueError lists the real ones.
    """
    chosen: set[str] = set()
    for part in filter(None, (part.strip() for part in text.replace("\n", ",").split(","))):
        found = _PART.fullmatch(part)
        named = _named(*found.groups(), real) if found else set()
        if not named:
            raise ValueError(f"Block '{short(part)}' is not in this model; it has {summary(real)}.")
        chosen |= named
    return frozenset(chosen or real)


def _named(kind: str, first: str | None, last: str | None, real: list[str]) -> set[str]:
    own = (name for name in real if name.partition(".")[0] == kind)
    if first is None:
        return set(own)
    return {name for name in own if int(first) <= int(name.partition(".")[2]) <= int(last or first)}


def summary(real: list[str]) -> str:
    """'in.1-2, in.4-5, mid.0': the names with runs of numbers joined."""
    runs: list[tuple[str, int, int]] = []
    for name in real:
        kind, _, number = name.partition(".")
        at = int(number)
        if runs and runs[-1][0] == kind and runs[-1][2] == at - 1:
            runs[-1] = (kind, runs[-1][1], at)
        else:
            runs.append((kind, at, at))
    return ", ".join(f"{kind}.{a}" if a == b else f"{kind}.{a}-{b}" for kind, a, b in runs)
