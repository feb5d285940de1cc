"""Where a diffusion transformer's picture tokens look at its text tokens."""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import get_ident

from torch.nn import Module

from ..run.rows import Entry
from ..run.run import Run
from .options import replace_blocks, replaced_blocks
from .sites import Site


class TransformerSites:
    """What cross- and joint-attention models share: blocks named by the host, a patch grid, no `attn2_patch`."""

    def __init__(self, network: Module, lists: dict[str, str]) -> None:
        self.network = network
        self.lists = {kind: len(getattr(network, name)) for kind, name in lists.items()}
        self.blocks = [f"{kind}.{i}" for kind, count in self.lists.items() for i in range(count)]

    def install(self, options: dict, override: object) -> None:
        """Nothing but the override itself."""

    def site(self, run: Run, given: dict, options: dict) -> Site | None:
        """The site of an attention call, or None if it is not one of picture tokens with text tokens.

        ValueError where another node put tokens of its own among them.
        """
        entries = [entry for entry in run.chunks(options) if entry is not None]
        if not entries or "block_type" not in options or "block_index" not in options:
            return None  # a refiner, before the blocks
        return self._site(f"{options['block_type']}.{options['block_index']}", run, entries[0], given, options)

    def _grid(self, run: Run, entry: Entry) -> tuple[int, int]:
        """(h, w) of the picture tokens of this call."""
        height, width = run.noise_shape[-2:]
        if entry.area is not None:
            rows, columns, top, left = entry.area
            height, width = min(rows, height - top), min(columns, width - left)
        return math.ceil(height / self.network.patch_size), math.ceil(width / self.network.patch_size)


class CrossSites(TransformerSites):
    """Wan: each block looks at its own picture first, an image-to-video model then at its image, and last at the text.

    Tokens of a reference (Fun Control) stand before the picture; those of other references follow it.
    """

    def __init__(self, network: Module, lists: dict[str, str]) -> None:
        super().__init__(network, lists)
        self.calls_per_block = 2 if network.img_emb is None else 3
        self.last: dict[int, tuple[str, int]] = {}

    def _site(self, block: str, run: Run, entry: Entry, given: dict, options: dict) -> Site | None:
        before, calls = self.last.get(get_ident(), ("", 0))
        calls = calls % self.calls_per_block + 1 if before == block else 1
        self.last[get_ident()] = block, calls
        if calls < self.calls_per_block:
            return None
        frames, h, w = options["grid_sizes"]
        first = 0 if self.network.ref_conv is None else given["q"].shape[-2] - frames * h * w
        frames = min(frames, run.noise_shape[2])
        return Site(block, (h, w), slice(first, first + frames * h * w), frames=frames)


class JointSites(TransformerSites):
    """Flux, Chroma, Qwen-Image, Lumina 2: text tokens first, then the picture, then reference pictures or padding."""

    def _site(self, block: str, run: Run, entry: Entry, given: dict, options: dict) -> Site | None:
        h, w = self._grid(run, entry)
        first = self._padded(entry.tokens)
        tokens = given["q"].shape[-2]
        if tokens in (first, self._padded(h * w)):
            return None  # the text, or the picture, alone
        tokens -= first + sum(options.get("reference_image_num_tokens", ()))
        most = run.noise_shape[2] if len(run.noise_shape) == 5 else 1
        frames = max(1, min(tokens // (h * w), most))  # fewer than sampled in a context window
        if tokens != self._padded(frames * h * w):
            raise ValueError(
                "It cannot tell where the text's and the picture's tokens are, as another node adds tokens of its own, "
                "such as those of a reference or style image; remove that node."
            )
        return Site(block, (h, w), slice(first, first + frames * h * w), slice(0, entry.tokens), frames=frames)

    def _padded(self, tokens: int) -> int:
        """What Z-Image makes of a number of text or picture tokens."""
        multiple = getattr(self.network, "pad_tokens_multiple", None) or 1
        return math.ceil(tokens / multiple) * multiple


class NamedJointSites(JointSites):
    """SD3: the host does not say which block calls, so each block is wrapped to say it."""

    def install(self, options: dict, override: object) -> None:
        """Around what other nodes put at the host's `double_block` (that is what it calls SD3's blocks too)."""
        theirs = replaced_blocks(options, "dit")
        (kind, count), *_ = self.lists.items()
        places = [("double_block", i) for i in range(count)]
        replace_blocks(options, "dit", {place: _named(kind, place[1], theirs.get(place)) for place in places})


def _named(kind: str, number: int, theirs: Callable | None) -> Callable:
    def block(args: dict, extra: dict) -> dict:
        options = {**args["transformer_options"], "block_type": kind, "block_index": number}
        args = {**args, "transformer_options": options}
        return theirs(args, extra) if theirs else extra["original_block"](args)

    return block
