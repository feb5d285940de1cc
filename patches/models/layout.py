"""Where the picture and the text are among the tokens of a call."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch.nn import Module

from .family import Family

REST = "*"


class Layout:
    """Counts the tokens of one call of a network from the ends that its family names."""

    def __init__(self, network: Module, family: Family, shape: Sequence[int], given: dict) -> None:
        """shape: of the call's latents, (B, C, [frames,] h, w). given: what the network gets beside them."""
        self.order = family.order(network, given) if callable(family.order) else family.order
        sides = shape[2:] if len(shape) == 5 else (1, *shape[2:])
        self.cross = family.cross
        self.grid = tuple(math.ceil(side / cell) for side, cell in zip(sides, family.cells(network), strict=True))
        """(frames, h, w) in tokens."""
        self.multiple = getattr(network, "pad_tokens_multiple", None) or 1
        """Z-Image fills text and picture up to it."""

    def call(self, total: int, text: int, refs: int) -> dict[str, slice] | None:
        """The slices of text and picture among `total` tokens; None where they do not add up.

        text: rows of the text. refs: tokens of reference pictures.
        """
        return self._places(self.order, total, text=self._filled(text), refs=refs)

    def one_alone(self, total: int, text: int) -> bool:
        """Whether `total` tokens are those of the picture, or of the text, alone."""
        return total in (self._filled(text), self._filled(math.prod(self.grid)))

    def picture(self, total: int, refs: int, joint: bool) -> slice | None:
        """The picture's tokens in what a block returns, with the text's (joint) or not; None: they do not add up."""
        parts = [REST if part == "text" else part for part in self.order.split()]
        if not joint:
            parts = [part for part in self.order.split() if part != "text" and (self.cross or not part.isdecimal())]
        order = " ".join(part for i, part in enumerate(parts) if part != REST or parts[i - 1 : i] != [REST])
        found = self._places(order, total, refs=refs)
        return found and found["picture"]

    def _filled(self, tokens: int) -> int:
        return math.ceil(tokens / self.multiple) * self.multiple

    def _places(self, order: str, total: int, **counts: int) -> dict[str, slice] | None:
        picture = math.prod(self.grid)
        counts = {**counts, "picture": self._filled(picture)}
        parts = order.split()
        sizes = [int(part) if part.isdecimal() else counts.get(part, 0) for part in parts]
        rest = total - sum(sizes)
        if rest < 0 or (rest and REST not in parts):
            return None
        found, start = {}, 0
        for part, size in zip(parts, sizes, strict=True):
            found[part] = slice(start, start + (rest if part == REST else size))
            start = found[part].stop
        first = found["picture"].start
        return {**found, "picture": slice(first, first + picture)}
