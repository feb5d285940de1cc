"""One attention call in which the picture looks at the text."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Site:
    """One attention call in which picture tokens look at text tokens, or at each other."""

    block: str
    """Such as 'in.4'."""
    grid: tuple[int, int]
    """(h, w) of the picture tokens."""
    queries: slice = field(default_factory=lambda: slice(None))
    """Picture tokens among the call's queries."""
    keys: slice = field(default_factory=lambda: slice(None))
    """Text tokens among the call's keys."""
    self_attention: bool = False
    """The keys are picture tokens alone."""
    pictures: slice | None = None
    """Picture tokens among the call's keys, in the order of the queries; None: none."""
    frames: int = 1
    """Of a video: its grids follow each other among the queries."""
    once: bool = False
    """Whether the keys hold each text once; else the host may repeat a short one, to the length of the longest."""
    index: int = 0
    """Which of the block's layers it is in, where a block has several."""
