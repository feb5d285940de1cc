"""Where a diffusion transformer's picture tokens look at its text tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import get_ident

from torch.nn import Module

from .announced import announced
from .family import Family
from .layout import Layout
from .site import Site

UNKNOWN = (
    "It cannot tell where the text's and the picture's tokens are, as another node adds tokens of its own, such as "
    "those of a reference or style image; remove that node."
)


@dataclass
class Call:
    """One call of the network, in its thread."""

    layout: Layout
    blocks: list[tuple[str, bool, count]] = field(default_factory=list)
    """Those that run now, the innermost last: whether in the picture's look at itself, and a count of its calls."""


class TokenSites:
    """Blocks say when they run, and tokens are counted from the ends that the family names."""

    def __init__(self, network: Module, family: Family) -> None:
        self.family = family
        self.blocks = list(family.modules(network))
        self.calls: dict[int, Call] = {}
        """By thread."""

    @contextmanager
    def open(
        self, network: Module, shape: Sequence[int], given: dict, options: dict, override: object
    ) -> Iterator[None]:
        """For one call of the network, or of its copy on another device; shape and given: as of `Layout`."""
        meeting, alone = self.family.meeting(network), self.family.alone(network)
        outer, self.calls[get_ident()] = self.calls.get(get_ident()), Call(Layout(network, self.family, shape, given))
        try:
            with (
                announced(meeting, lambda name, _: self._enter(name, False), self._leave),
                announced(alone, lambda name, _: self._enter(name, True), self._leave),
            ):
                yield
        finally:
            self.calls[get_ident()] = outer

    def moved(self, network: Module, shape: Sequence[int], given: dict, options: dict, widths: float) -> dict:
        """The options of a call whose picture stands so many of its widths to the right of its place."""
        theirs = options.get("rope_options") or {}
        across = widths * Layout(network, self.family, shape, given).grid[2] * theirs.get("scale_x", 1.0)
        return {**options, "rope_options": {**theirs, "shift_x": theirs.get("shift_x", 0.0) + across}}

    def _enter(self, name: str, alone: bool) -> None:
        self.calls[get_ident()].blocks.append((name, alone, count(1)))

    def _leave(self, name: str, out: object) -> None:
        self.calls[get_ident()].blocks.pop()

    def site(self, rows: int, given: dict, options: dict) -> Site | None:
        """The site of an attention call, or None if it is not one of picture tokens with text tokens.

        rows: of the text. ValueError: other nodes added tokens of their own.
        """
        call = self.calls.get(get_ident())
        if call is None or not call.blocks:
            return None
        block, alone, calls = call.blocks[-1]
        number = next(calls)
        queries, keys = (given[name].shape[-2] for name in "qk")
        if alone:
            return self._alone(call.layout, block, queries, keys, options)
        if self.family.cross and number != self.family.call:
            return None
        if not self.family.cross and (queries != keys or call.layout.one_alone(queries, rows)):
            return None
        found = call.layout.call(queries, rows, _refs(options))
        if found is None and self.family.cross:
            return None  # of a stream beside the picture's, such as a pose
        if found is None:
            raise ValueError(UNKNOWN)
        frames, h, w = call.layout.grid
        texts = slice(None) if self.family.cross else found.get("text", slice(0, 0))
        once = self.family.fills or not self.family.cross
        pictures = None if self.family.cross else found["picture"]
        return Site(block, (h, w), found["picture"], texts, pictures=pictures, frames=frames, once=once)

    def _alone(self, layout: Layout, block: str, queries: int, keys: int, options: dict) -> Site | None:
        """The site of the picture's look at itself; None where it looks in parts, or has fewer tokens."""
        found = layout.picture(queries, _refs(options), joint=False) if queries == keys else None
        if found is None:
            return None
        frames, h, w = layout.grid
        index = 0 if self.family.cross else 1  # behind the one in which it meets the text
        return Site(block, (h, w), found, self_attention=True, pictures=found, frames=frames, index=index)


def _refs(options: dict) -> int:
    """Tokens of the reference pictures that the host counts."""
    return sum(options.get("reference_image_num_tokens", ()))
