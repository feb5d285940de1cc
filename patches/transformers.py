"""Where a diffusion transformer's picture tokens look at its text tokens."""

from __future__ import annotations

import math
from threading import get_ident

from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from torch.nn import Module

from .rows import Entry
from .run import Run
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
        """The site of an attention call, or None if it is not one of picture tokens with text tokens."""
        entries = [entry for entry in run.chunks(options) if entry is not None]
        block = self._block(options)
        return self._site(block, run, entries[0], given, options) if entries and block else None

    def _block(self, options: dict) -> str | None:
        if "block_type" not in options or "block_index" not in options:
            return None  # a refiner, before the blocks
        return f"{options['block_type']}.{options['block_index']}"

    def _grid(self, run: Run, entry: Entry) -> tuple[int, int, int]:
        """(frames, h, w) of the picture tokens of this call."""
        *frames, height, width = run.noise_shape[2:]
        if entry.area is not None:
            height, width = min(entry.area[0], height), min(entry.area[1], width)
        patch = self.network.patch_size
        down, across = (patch, patch) if isinstance(patch, int) else patch[-2:]
        deep = patch[0] if frames and not isinstance(patch, int) else 1
        return math.ceil((frames or [1])[0] / deep), math.ceil(height / down), math.ceil(width / across)


class CrossSites(TransformerSites):
    """Wan: each block looks at its own picture first, then at the text."""

    def __init__(self, network: Module, lists: dict[str, str]) -> None:
        super().__init__(network, lists)
        self.last: dict[int, str] = {}

    def _site(self, block: str, run: Run, entry: Entry, given: dict, options: dict) -> Site | None:
        frames, h, w = self._grid(run, entry)
        if self.last.get(get_ident()) != block:  # the block's self-attention
            self.last[get_ident()] = block
            return None
        if given["k"].shape[-2] != entry.tokens or given["q"].shape[-2] != frames * h * w:
            return None
        return Site(block, (h, w), frames=frames)


class JointSites(TransformerSites):
    """Flux, Chroma, Qwen-Image, Lumina 2: text tokens first, then the picture, then reference pictures or padding."""

    def _site(self, block: str, run: Run, entry: Entry, given: dict, options: dict) -> Site | None:
        frames, h, w = self._grid(run, entry)
        multiple = getattr(self.network, "pad_tokens_multiple", None) or 1
        first = math.ceil(entry.tokens / multiple) * multiple
        end = first + frames * h * w
        if given["q"].shape[-2] < end:
            return None
        return Site(block, (h, w), slice(first, end), slice(0, entry.tokens), frames=frames)


class JointSitesByCount(JointSites):
    """SD3: the host does not say which block calls, so joint calls are counted from the start of each model call."""

    def __init__(self, network: Module, lists: dict[str, str]) -> None:
        super().__init__(network, lists)
        self.count: dict[int, int] = {}

    def install(self, options: dict, override: object) -> None:
        def apply_model(executor, *args, **kwargs):
            self.count[get_ident()] = 0
            return executor(*args, **kwargs)

        add_wrapper_with_key(WrappersMP.APPLY_MODEL, "lm_count", apply_model, options)

    def _block(self, options: dict) -> str:
        return f"{next(iter(self.lists))}.{self.count.get(get_ident(), 0)}"

    def _site(self, block: str, run: Run, entry: Entry, given: dict, options: dict) -> Site | None:
        found = super()._site(block, run, entry, given, options)
        if found is not None:
            self.count[get_ident()] = self.count.get(get_ident(), 0) + 1
        return found
