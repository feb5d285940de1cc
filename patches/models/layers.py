"""The blocks in which the picture looks at itself, as sites in text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch.nn import Module

from .blocks import summary
from .features import PRESETS

PARTS = 9  # four on the way down, the middle one, four on the way up, as of `token_places`


class Layers:
    """Of a U-Net or a transformer; blocks: all with self-attention."""

    def __init__(self, blocks: list[str], moves: bool = False, axes: Sequence[int] = ()) -> None:
        """moves: as of `Family`; axes: channels of a head that are rotated by frame or kind, height, width, ..."""
        self.blocks, self.moves, self.axes = blocks, moves, axes
        kinds = [block.partition(".") for block in blocks]
        self.counts = {kind: 1 + max(int(number) for own, _, number in kinds if own == kind) for kind, *_ in kinds}

    def preset(self, name: str) -> list[str]:
        """Blocks of the kinds of a U-Net, or a transformer's in their order: the first, the middle ones, the last."""
        if "mid" in self.counts:
            found = [block for block in self.blocks if block.partition(".")[0] in PRESETS[name]]
        else:
            first, last = (math.ceil(len(self.blocks) * part / PARTS) for part in (PARTS // 2, PARTS // 2 + 1))
            kinds = {"in": self.blocks[:first], "mid": self.blocks[first:last], "out": self.blocks[last:]}
            found = [block for kind in PRESETS[name] for block in kinds.get(kind, [])]
        if not found:
            raise ValueError(f"The {name} have no self-attention; choose another preset for the mix 'share'.")
        return found

    def attending(self, weights: dict[str, float]) -> dict[str, float]:
        """Those of the sites that are such blocks; ValueError: none is."""
        found = {block: weight for block, weight in weights.items() if block in self.blocks}
        if weights and not found:
            raise ValueError(
                f"There is no self-attention at these sites; for the mix 'share', this model has it in "
                f"{summary(self.blocks)}."
            )
        return found


def rotated(network: Module) -> tuple[int, ...]:
    """Channels of a head that are rotated by frame or kind, height, width, ..., as its EmbedND has them; else ().

    Of each axis' pairs of neighbours the first is the fastest.
    """
    found = (m.axes_dim for m in network.modules() if type(m).__name__ == "EmbedND" and len(m.axes_dim) > 2)
    return tuple(next(found, ()))
