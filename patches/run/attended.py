"""What effects see of one attention call of the model, before and after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from torch import Tensor

from ..models.site import Site
from .biased import as_bias, join, masked
from .rows import Entry
from .wider import heads_of

if TYPE_CHECKING:
    from .engine import AttentionEffect
    from .run import Run


@dataclass(frozen=True)
class Look:
    """One conditioning's picture tokens looking at its text tokens, in one attention call of the model."""

    run: Run
    entry: Entry
    site: Site
    q: Tensor = field(repr=False)
    """(b, heads, Q, D), picture tokens."""
    k: Tensor = field(repr=False)
    """(b, heads, n, D), the entry's own text tokens."""
    every_q: Tensor = field(repr=False)
    """(B, heads, Q, D), with the other conditionings of this call."""
    every_k: Tensor = field(repr=False)
    picture_k: Tensor | None = field(repr=False)
    """(b, heads, Q, D), the picture tokens among the keys, or None."""


@dataclass(frozen=True)
class Call:
    """One attention call that effects want."""

    site: Site
    entries: list[Entry | None]
    """Behind each chunk of the batch."""
    effects: list[AttentionEffect]
    q: Tensor = field(repr=False)
    """(B, heads, Q, D)."""
    k: Tensor = field(repr=False)


@dataclass(frozen=True)
class Attended:
    """One call that was computed, with the bias and the keys that effects gave it."""

    call: Call
    func: Callable
    """The host's backend."""
    given: dict = field(repr=False)
    """Its arguments by name."""
    bias: Tensor | None = field(repr=False)
    """(B, 1 or heads, Q, K)."""

    @cached_property
    def q(self) -> Tensor:
        """(B, heads, tokens, D), as k and v."""
        return heads_of(self.given, "q")

    @cached_property
    def k(self) -> Tensor:
        return heads_of(self.given, "k")

    @cached_property
    def v(self) -> Tensor:
        return heads_of(self.given, "v")

    @cached_property
    def mask(self) -> Tensor | None:
        """(B or 1, 1 or heads, 1 or Q, K) that was added to the logits; None: nothing."""
        own = as_bias(self.given.get("mask"), self.q.dtype)
        return own if self.bias is None else join(self.bias, own)

    def rows(self, chunk: int) -> slice:
        """Of the batch."""
        size = len(self.q) // len(self.call.entries)
        return slice(chunk * size, (chunk + 1) * size)

    def picture_mask(self, rows: slice) -> Tensor | None:
        """(b or 1, 1 or heads, 1 or Q, K) of the picture's queries."""
        if self.mask is None:
            return None
        mask = self.mask if len(self.mask) == 1 else self.mask[rows]
        return mask if mask.shape[2] == 1 else mask[:, :, self.call.site.queries]

    def attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """(b, Q, C) of (b, heads, tokens, D) each."""
        func = self.func if mask is None else masked(self.func)
        return func(q, k, v, q.shape[1], mask=mask, skip_reshape=True)

    def changed(self, out: Tensor, parts: dict[int, Callable[[Tensor], Tensor]]) -> Tensor:
        """The call's output, of which a chunk's part makes another of what its picture gets, (b, Q, heads * D)."""
        apart = self.given.get("skip_output_reshape")
        tokens = out.transpose(1, 2).flatten(2) if apart else out.clone()
        for chunk, make in parts.items():
            place = self.rows(chunk), self.call.site.queries
            tokens[place] = make(tokens[place])
        return tokens.unflatten(2, (out.shape[1], -1)).transpose(1, 2) if apart else tokens
