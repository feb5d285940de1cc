"""One call of a U-Net whose cross-attention also looks at the texts of edit concepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import comfy.ldm.modules.attention as host
import torch
from comfy.utils import repeat_to_batch_size
from torch import Tensor

from ...attention.cells import cells
from ...attention.steered import steered
from ..models.options import append_patches, replace_blocks, replaced_blocks
from .concepts import Concept
from .inside import pull_of
from .masks import cut_to_area
from .record import OVERRIDE
from .rows import Entry
from .told import speaking


@dataclass(frozen=True)
class Told:
    """The concepts that act, and what they look at."""

    concepts: list[Concept]
    texts: list[Tensor]
    """(b, n, C) of each."""
    neutral: Tensor | None
    """(b, n, C), the text that they are measured against; None: the prompt."""


class KeysCall:
    """Puts the texts' rows behind the prompt's as context, and takes their keys and values away before attention.

    So they are projected by the model's own layers, whatever patches those, while the prompt's attention stays as it
    is, with all that other nodes do to it. A call runs in one thread.
    """

    def __init__(
        self, told: Told, own: dict[int, Entry], chunks: int, context: Tensor, shape: tuple[int, ...], node: str
    ) -> None:
        """own: the chunks of the batch (of `chunks`) in which the concepts act. context (B, n, C). shape: latent's."""
        self.told, self.own, self.chunks, self.shape, self.node = told, own, chunks, shape, node
        texts = [*told.texts, *([] if told.neutral is None else [told.neutral])]
        self.lengths = [text.shape[1] for text in texts]
        wide = [repeat_to_batch_size(text.to(context), len(context) // chunks) for text in texts]
        self.rows = torch.cat(wide, 1).repeat(chunks, 1, 1)
        self.grid: tuple[int, int] | None = None
        """(h, w) of the cross-attention that is about to run, else None."""
        self.met = False
        self.previous: Callable | None = None

    def placed(self, options: dict) -> dict:
        """A call's options with this in them, behind and around what other nodes placed there."""
        options = dict(options)
        self.previous = options.get(OVERRIDE)
        append_patches(options, attn2_patch=self._append, attn2_output_patch=self._clear)
        theirs = replaced_blocks(options, "attn2")
        replace_blocks(options, "attn2", {block: self._replaced(replace) for block, replace in theirs.items()})
        return {**options, OVERRIDE: self._override}

    def _append(self, n: Tensor, context: Tensor, value: Tensor, extra: dict) -> tuple[Tensor, Tensor, Tensor]:
        batch, _, h, w = extra["activations_shape"]
        if len(n) != batch or n.shape[1] != h * w:
            with speaking(self.node):
                raise ValueError(
                    "It cannot act beside a node that changes the batch or the tokens inside cross-attention, such as "
                    "Attention Couple; remove one of them, or set how to guidance in Edit Concept."
                )
        self.grid = h, w
        return n, torch.cat([context, self.rows], 1), torch.cat([value, self.rows], 1)

    def _clear(self, n: Tensor, extra: dict) -> Tensor:
        """A block whose attention another node replaced without asking never comes by."""
        self.grid = None
        return n

    def _override(self, func: Callable, q: Tensor, k: Tensor, v: Tensor, *args: object, **kwargs: object) -> Tensor:
        grid, self.grid = self.grid, None
        plain = (lambda *given, **more: self.previous(func, *given, **more)) if self.previous else func
        if grid is None:
            return plain(q, k, v, *args, **kwargs)
        count = self.rows.shape[1]
        out = plain(q, k[:, :-count], v[:, :-count], *args, **kwargs)
        return self._steered(out, grid, q, k[:, -count:], v[:, -count:], lambda *qkv: func(*qkv, *args, **kwargs))

    def _replaced(self, theirs: Callable) -> Callable:
        """Around an `attn2` replace such as IP-Adapter's: what it adds stays as it is."""

        def attn2(q: Tensor, k: Tensor, v: Tensor, extra: dict) -> Tensor:
            grid, self.grid = self.grid, None
            if grid is None:
                return theirs(q, k, v, extra)
            count = self.rows.shape[1]
            prompt, texts = (k[:, :-count], v[:, :-count]), (k[:, -count:], v[:, -count:])

            def attend(*qkv: Tensor) -> Tensor:
                return host.optimized_attention(*qkv, extra["n_heads"])

            z = attend(q, *prompt)
            return theirs(q, *prompt, extra) + self._steered(z, grid, q, *texts, attend) - z

        return attn2

    def _steered(self, z: Tensor, grid: tuple[int, int], q: Tensor, k: Tensor, v: Tensor, attend: Callable) -> Tensor:
        """z (B, Q, C) of the prompts, with the concepts where they act. k, v (B, n, C): of the texts."""
        self.met, size, parts = True, len(z) // self.chunks, list(z.chunk(self.chunks))
        for i, entry in self.own.items():
            at = slice(i * size, (i + 1) * size)
            both = zip(k[at].split(self.lengths, 1), v[at].split(self.lengths, 1), strict=True)
            seen = [attend(q[at], *one) for one in both]
            neutral = None if self.told.neutral is None else seen[-1]
            pulls = [
                pull_of(concept, one, neutral, self._share(concept, entry, grid, z))
                for one, concept in zip(seen, self.told.concepts, strict=False)
            ]
            parts[i] = steered(parts[i], pulls)
        return torch.cat(parts)

    def _share(self, concept: Concept, entry: Entry, grid: tuple[int, int], z: Tensor) -> Tensor | float:
        """The weight, under the mask (b or 1, Q, 1)."""
        if concept.mask is None:
            return concept.weight
        part = cut_to_area(concept.mask, entry.area, self.shape)
        return concept.weight * cells(part, grid).flatten(1)[..., None].to(z.device)
