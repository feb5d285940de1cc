"""Where features of other pictures enter a diffusion transformer: the picture's tokens after its blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from comfy.ldm.lumina.model import NextDiT
from torch import Tensor
from torch.nn import Module

from .features import PRESETS
from .options import append_patches, replace_blocks, replaced_blocks

PARTS = 9  # as many as the source's places on a U-Net's way down, in its middle and on its way up
HOST = {"double": "double_block", "joint": "double_block", "single": "single_block"}
"""What the host calls the blocks in its `patches_replace`."""
Change = Callable[[str, Tensor], Tensor]
"""(site, features (rows, C, h, w)) -> features of the same size."""


class TokenPlaces:
    """double.N, single.N and joint.N are what block N hands on; text, reference and padding tokens are left alone."""

    def __init__(self, network: Module, lists: dict[str, str], patch: int) -> None:
        self.network, self.patch = network, patch
        self.counts = {kind: len(getattr(network, name)) for kind, name in lists.items()}
        self.frames, self.height, self.width = 1, 1, 1
        """Of a call's features: a video's frames stand below each other, and the height is that of all."""

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

    def fit(self, shape: tuple[int, ...]) -> None:
        """Takes the size of a call's latents, (rows, C, [frames,] h, w)."""
        self.frames = shape[2] if len(shape) == 5 else 1
        height, self.width = (math.ceil(side / self.patch) for side in shape[-2:])
        self.height = self.frames * height

    def install(self, options: dict, key: str, change: Change, sites: Iterable[str]) -> None:
        """Has `change(site, features (rows, C, frames * h, w))` called in every call with these options.

        After what other nodes put there. Lumina's blocks cannot be replaced, but have a patch after them.
        """
        if isinstance(self.network, NextDiT):

            def after(args: dict) -> dict:
                site = f"double.{args['block_index']}"
                return {**args, "img": self._changed(change, site, args["img"], 0)} if site in sites else args

            append_patches(options, double_block=after)
            return
        theirs, places = replaced_blocks(options, "dit"), {site: _place(site) for site in sites}
        ours = {place: self._around(theirs.get(place), change, site) for site, place in places.items()}
        replace_blocks(options, "dit", ours)

    def recording(self, keep: Callable[[str, Tensor], None], sites: Iterable[str]) -> dict:
        """Entries of a plain call's options with which `keep` is given its features."""

        def kept(site: str, features: Tensor) -> Tensor:
            keep(site, features)
            return features

        options: dict = {}
        self.install(options, "", kept, sites)
        return options

    def _around(self, theirs: Callable | None, change: Change, site: str) -> Callable:
        def block(args: dict, extra: dict) -> dict:
            out = theirs(args, extra) if theirs else extra["original_block"](args)
            first = args["transformer_options"]["img_slice"][0] if site.startswith("single") else 0
            if getattr(self.network, "ref_conv", None) is not None:  # Wan's Fun Control: a reference comes first
                first = out["img"].shape[1] - self.height * self.width
            return {**out, "img": self._changed(change, site, out["img"], first)}

        return block

    def _changed(self, change: Change, site: str, tokens: Tensor, first: int) -> Tensor:
        """tokens (rows, T, C); the picture's begin at `first`."""
        count = self.height * self.width
        before, picture, after = tokens[:, :first], tokens[:, first : first + count], tokens[:, first + count :]
        if picture.shape[1] != count:
            raise ValueError(
                "It cannot tell which tokens are the picture's, as another node takes some out or shrinks them; remove "
                "that node."
            )
        features = picture.mT.unflatten(2, (self.height, self.width))
        changed = change(site, features)
        return tokens if changed is features else torch.cat([before, changed.flatten(2).mT, after], 1)


def _place(site: str) -> tuple[str, int]:
    """Where the host looks for a block's replacement."""
    kind, number = site.split(".")
    return HOST[kind], int(number)
