"""Where a U-Net's picture tokens look at its text tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import get_ident

from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from torch.nn import Module

from .options import append_patches, replace_blocks, replaced_blocks
from .site import Site

SHORT = {"input": "in", "middle": "mid", "output": "out"}


class UNetSites:
    """Cross-attention of SD1, SD2 and SDXL. `attn2_patch` marks that the thread's next attention call is one."""

    def __init__(self, network: UNetModel) -> None:
        lists = {"in": network.input_blocks, "mid": [network.middle_block], "out": network.output_blocks}
        self.blocks = [f"{kind}.{i}" for kind, blocks in lists.items() for i, b in enumerate(blocks) if _attends(b)]
        self.marked: dict[int, bool] = {}

    @contextmanager
    def open(
        self, network: Module, shape: Sequence[int], given: dict, options: dict, override: object
    ) -> Iterator[None]:
        """For one call with these options, which it changes.

        Last in the lists of patches, so that what other packs do to q and context is seen; wraps attn2 replaces.
        """
        append_patches(options, attn2_patch=self._mark, attn2_output_patch=self._clear)
        theirs = replaced_blocks(options, "attn2")
        replace_blocks(options, "attn2", {block: override.replaced(replace) for block, replace in theirs.items()})
        yield

    def site(self, rows: int, given: dict, options: dict) -> Site | None:
        """The site of an attention call, or None if its tokens are not those of the picture (merged, tiled)."""
        text = self.marked.pop(get_ident(), False)
        if "activations_shape" not in options:
            return None
        batch, _, h, w = options["activations_shape"]
        kind, number = options["block"]
        block = f"{SHORT[kind]}.{number}"
        whole = given["q"].shape[0] == batch and given["q"].shape[-2] == h * w
        if text and not whole:
            raise ValueError(
                "It cannot act beside a node that changes the batch or the tokens inside cross-attention, such as "
                "Attention Couple; remove one of them."
            )
        if text:
            return Site(block, (h, w))
        if not whole or given["k"].shape[-2] != h * w:
            return None
        layer = options.get("block_index", 0)
        return Site(block, (h, w), self_attention=True, pictures=slice(None), index=layer)

    def _mark(self, n, context, value, extra_options):
        self.marked[get_ident()] = True
        return n, context, value

    def _clear(self, n, extra_options):
        """A block whose attn2 another pack replaced without asking never reaches the override."""
        self.marked.pop(get_ident(), None)
        return n


def _attends(block: object) -> bool:
    return any(hasattr(layer, "transformer_blocks") for layer in block)
