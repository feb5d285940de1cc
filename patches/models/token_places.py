"""Where features of other pictures enter a diffusion transformer: the picture's tokens after its blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import Module

from .announced import Own, announced
from .family import Family
from .features import PRESETS
from .layout import Layout

PARTS = 9  # as many as the source's places on a U-Net's way down, in its middle and on its way up
Change = Callable[[str, Tensor], Tensor | None]
"""(site, features (rows, C, h, w)) -> features of the same size, or None: as they are."""


class TokenPlaces:
    """double.N, single.N, ... are what block N hands on; text, reference and padding tokens are left alone."""

    def __init__(self, network: Module, family: Family) -> None:
        self.family, self.cells = family, family.cells(network)
        lists = {kind: blocks.name for kind, blocks in family.blocks.items() if blocks.features}
        self.counts = {kind: len(getattr(network, name)) for kind, name in lists.items()}

    def preset(self, name: str) -> list[str]:
        """The last block of each of nine parts: of four on the way down, the middle one, four on the way up."""
        blocks = [f"{kind}.{i}" for kind, count in self.counts.items() for i in range(count)]
        ends = [blocks[math.ceil((part + 1) * len(blocks) / PARTS) - 1] for part in range(PARTS)]
        middle = PARTS // 2
        kinds = {"in": ends[:middle], "mid": ends[middle : middle + 1], "out": ends[middle + 1 :], "skip": []}
        found = [block for kind in PRESETS[name] for block in kinds[kind]]
        if not found:
            raise ValueError(f"This model has no {name}; choose another preset, or sites such as '{blocks[-1]}:0.1'.")
        return list(dict.fromkeys(found))

    def frames(self, shape: Sequence[int]) -> int:
        """Of the features of latents (rows, C, [frames,] h, w): they stand below each other."""
        return math.ceil(shape[2] / self.cells[0]) if len(shape) == 5 else 1

    @contextmanager
    def open(
        self,
        network: Module,
        shape: Sequence[int],
        given: dict,
        options: dict,
        change: Change,
        sites: Iterable[str],
    ) -> Iterator[dict]:
        """Has `change` called at these sites in one call of the network with the options yielded.

        shape and given: as of `Layout`.
        """
        own, refs, modules = Own(network), {}, self.family.modules(network)
        layout = Layout(network, self.family, shape, given)

        def enter(site: str, options: dict) -> None:
            if own():
                refs[site] = sum(options.get("reference_image_num_tokens", ()))

        def leave(site: str, out: Tensor | tuple | None) -> Tensor | tuple | None:
            return self._changed(change, site, out, layout, refs[site]) if own() and out is not None else None

        with own, announced({site: modules[site] for site in sites}, enter, leave):
            yield options

    recording = open
    """`change` is shown the features of a plain call."""

    def _changed(
        self, change: Change, site: str, out: Tensor | tuple, layout: Layout, refs: int
    ) -> Tensor | tuple | None:
        """What the block returned, with other features in it."""
        blocks = self.family.kind(site)
        tokens = out if blocks.picture is None else out[blocks.picture]
        frames, h, w = layout.grid
        flat = tokens.reshape(-1, *tokens.shape[-2:]) if tokens.ndim < 4 else tokens.flatten(1, -2)
        place = layout.picture(flat.shape[1], refs, blocks.joint)
        if place is None:
            raise ValueError(
                "It cannot tell which tokens are the picture's, as another node takes some out or shrinks them; remove "
                "that node."
            )
        picture = flat[:, place]
        changed = change(site, rearrange(picture, "b (t h w) c -> b c (t h) w", t=frames, h=h, w=w))
        if changed is None:
            return None
        changed = rearrange(changed, "b c (t h) w -> b (t h w) c", t=frames)
        whole = torch.cat([flat[:, : place.start], changed, flat[:, place.stop :]], 1).reshape(tokens.shape)
        return whole if blocks.picture is None else (*out[: blocks.picture], whole, *out[blocks.picture + 1 :])
