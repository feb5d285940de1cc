"""Where features of other pictures enter a U-Net."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partialmethod

from comfy.ldm.modules.diffusionmodules.openaimodel import Downsample, UNetModel, Upsample
from torch import Tensor

from .announced import entering
from .features import PRESETS
from .options import append_patches
from .token_places import Change


class UNetPlaces:
    """in.N and out.N are what blocks hand on, mid what the middle does, skip.N what input block N hands over."""

    def __init__(self, network: UNetModel) -> None:
        self.network = network
        inputs, outputs = len(network.input_blocks), len(network.output_blocks)
        self.counts = {"in": inputs, "mid": 1, "out": outputs, "skip": inputs}
        self.last = f"out.{outputs - 1}"
        """The site before the last layers, which no patch of the host reaches."""

    def preset(self, name: str) -> list[str]:
        return [f"{kind}.{i}" for kind in PRESETS[name] for i in self._preset(kind)]

    def _preset(self, kind: str) -> list[int]:
        """Source 001's places, in any U-Net: after blocks that change the resolution, and at each path's end."""
        if kind == "mid":
            return [0]
        blocks, change = (
            (self.network.output_blocks, Upsample) if kind == "out" else (self.network.input_blocks, Downsample)
        )
        last = len(blocks) - 1
        if kind == "skip":
            return list(range(1, last + 1))
        return [i for i, block in enumerate(blocks) if i == last or any(isinstance(layer, change) for layer in block)]

    def frames(self, shape: Sequence[int]) -> int:
        return 1

    @contextmanager
    def open(
        self,
        network: UNetModel,
        shape: Sequence[int],
        given: dict,
        options: dict,
        change: Change,
        sites: Iterable[str],
        early: bool = False,
    ) -> Iterator[dict]:
        """As of `TokenPlaces`; behind what other nodes put there.

        early: what is handed over is shown as soon as it is there, and not changed where it arrives.
        """

        def at(site: str, h: Tensor) -> Tensor:
            changed = change(site, h) if site in sites else None
            return h if changed is None else changed

        def after_input(h: Tensor, extra: dict) -> Tensor:
            number = extra["block"][1]
            if early:
                at(f"skip.{number}", h)
            return at(f"in.{number}", h)

        def before_output(h: Tensor, hsp: Tensor, extra: dict) -> tuple[Tensor, Tensor]:
            number = extra["block"][1]
            h = at(f"out.{number - 1}" if number else "mid.0", h)
            return h, hsp if early else at(f"skip.{self.counts['in'] - 1 - number}", hsp)

        options = dict(options)
        append_patches(options, input_block_patch_after_skip=after_input, output_block_patch=before_output)
        with entering(network, lambda h: at(self.last, h)):
            yield options

    recording = partialmethod(open, early=True)
    """`change` is shown the features of a plain call."""
