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
    blocks: list[tuple[str, count]] = field(default_factory=list)
    """Those that run now, the innermost last, each with a count of its attention calls."""


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
        modules = {name: self._attention(name, block) for name, block in self.family.modules(network).items()}
        outer, self.calls[get_ident()] = self.calls.get(get_ident()), Call(Layout(network, self.family, shape, given))
        try:
            with announced(modules, self._enter, self._leave):
                yield
        finally:
            self.calls[get_ident()] = outer

    def _attention(self, name: str, block: Module) -> Module:
        inside = self.family.kind(name).attention
        return getattr(block, inside) if inside else block

    def _enter(self, name: str, options: dict) -> None:
        self.calls[get_ident()].blocks.append((name, count(1)))

    def _leave(self, name: str, out: object) -> None:
        self.calls[get_ident()].blocks.pop()

    def site(self, rows: int, given: dict, options: dict) -> Site | None:
        """The site of an attention call, or None if it is not one of picture tokens with text tokens.

        rows: of the text. ValueError: other nodes added tokens of their own.
        """
        call = self.calls.get(get_ident())
        if call is None or not call.blocks:
            return None
        block, calls = call.blocks[-1]
        number = next(calls)
        queries, keys = (given[name].shape[-2] for name in "qk")
        if self.family.cross and number != self.family.call:
            return None
        if not self.family.cross and (queries != keys or call.layout.one_alone(queries, rows)):
            return None
        refs = sum(options.get("reference_image_num_tokens", ()))
        found = call.layout.call(queries, rows, refs)
        if found is None and self.family.cross:
            return None  # of a stream beside the picture's, such as a pose
        if found is None:
            raise ValueError(UNKNOWN)
        frames, h, w = call.layout.grid
        texts = slice(None) if self.family.cross else found["text"]
        once = self.family.fills or not self.family.cross
        pictures = None if self.family.cross else found["picture"]
        return Site(block, (h, w), found["picture"], texts, pictures=pictures, frames=frames, once=once)
