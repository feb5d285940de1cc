"""Reads where phrases are looked at while a model samples, and keeps one set of maps per finished run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, log2

import torch.nn.functional as F
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ..attention.captured import Captured
from ..attention.probabilities import probabilities
from .models.blocks import parse_blocks
from .models.reach import sites_of
from .models.site import Site
from .run.engine import AttentionEffect, Look
from .run.maps import Maps
from .run.rows import Entry
from .run.run import Run, attach
from .run.selves import Selves
from .run.spots import others_of, places_in, rivals_of, why_unseen
from .run.window import Window

UNREFINED = (
    "Its masks are not refined by self-attention, as the model showed it none of the whole picture: its kind has none "
    "within reach, another node changes the tokens, or every prompt has an area. Set refine to 0 (self_attention off)."
)


@dataclass(frozen=True)
class CaptureSettings:
    """What is read, and when and where in the model."""

    phrases: tuple[str, ...]
    self_attention: bool = False
    window: Window = field(default_factory=Window)
    blocks: str = ""
    node: str = "Attention Capture"
    """Who asks."""


def capture(model: ModelPatcher, settings: CaptureSettings) -> tuple[ModelPatcher, Maps]:
    """A clone whose every run adds its maps to the handle; ValueError where the model has no such attention."""
    if not settings.phrases:
        raise ValueError("There is no phrase to look for; type words of the prompt, one phrase per line.")
    blocks, maps = parse_blocks(settings.blocks, sites_of(model).blocks), Maps()
    return attach(model, lambda: Capture(settings, blocks, maps.add)), maps


class Capture(AttentionEffect):
    """One run of reading."""

    def __init__(self, settings: CaptureSettings, blocks: frozenset[str], publish: Callable[[Captured], None]) -> None:
        self.settings, self.blocks, self.publish = settings, blocks, publish
        self.node = settings.node
        self.words: tuple[str, ...] = ()
        self.columns: dict[tuple, tuple[list[int], list[tuple[int, ...]]]] = {}
        """Entry -> (indices of the words it holds, their text rows)."""
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, Tensor] = {}
        self.selves = Selves()
        self.others: dict[str, tuple[str, ...]] = {}
        self.rivals: dict[str, tuple[str, ...]] = {}
        self.run: Run | None = None
        self.open = self.unrefined = False

    def start(self, run: Run) -> None:
        if "context_handler" in run.guider.model_options:
            raise ValueError("Attention cannot be captured in context windows; remove the context window node.")
        super().start(run)

    def prepare(self, run: Run) -> None:
        self.run = run
        every = [entry for entry in run.table.values() if not entry.negative and entry.tokens]
        entries, phrases = self._acting(run, every), self.settings.phrases
        spots = {entry.key: places_in(phrases, entry) for entry in entries}
        for phrase in phrases:
            if not any(phrase in found for found in spots.values()):
                why_unseen(phrase, every)
        self.words = tuple(dict.fromkeys((*phrases, *(word for found in spots.values() for word in found))))
        for key, found in spots.items():
            self.columns[key] = ([self.words.index(word) for word in found], list(found.values()))
        self.others = {phrase: others_of(phrase, entries, spots) for phrase in phrases}
        self.rivals = {phrase: rivals_of(phrase, phrases, spots) for phrase in phrases}

    def _acting(self, run: Run, entries: list[Entry]) -> list[Entry]:
        """Those that take part while the window is open; of others nothing would be seen."""
        levels = [sigma for sigma in run.sigmas[:-1] if self.settings.window.contains(sigma, run.sampling)]
        if not levels:
            raise ValueError("No step of this run lies between start and end percent of the capture; widen them.")
        return [entry for entry in entries if any(map(entry.acts, levels))]

    def step(self, run: Run) -> None:
        self.open = self.settings.window.contains(run.sigma, run.sampling)
        self.opened |= self.open

    def wants(self, site: Site) -> bool:
        """Only in the sampler's own call of a step: PAG, SAG and others look again at disturbed pictures."""
        if not self.open or self.run.calls != 1:
            return False
        return self._reads_text(site) or self._reads_self(site)

    def _reads_text(self, site: Site) -> bool:
        return not site.self_attention and site.block in self.blocks

    def _reads_self(self, site: Site) -> bool:
        return self.settings.self_attention and self.selves.wants(site)

    def look(self, look: Look) -> None:
        if look.entry.key not in self.columns:
            return
        if self._reads_self(look.site):
            self.selves.add(look)
        if not self._reads_text(look.site):
            return
        self.looked = True
        indices, columns = self.columns[look.entry.key]
        seen = probabilities(look.q, look.k, columns)
        self._add(look, indices, seen.unflatten(2, (look.site.frames, *look.site.grid)).mean(2))

    def _add(self, look: Look, indices: list[int], seen: Tensor) -> None:
        """Adds (b, words, h, w) where the entry's area lies in the picture, on the block's first grid of the run."""
        whole, area = _area(look)
        placed, share = seen.new_zeros(*seen.shape[:2], *whole), seen.new_zeros(1, 1, *whole)
        placed[(..., *area)], share[(..., *area)] = seen, 1
        if look.site.block not in self.sums:
            self.sums[look.site.block] = seen.new_zeros(seen.shape[0], len(self.words), *whole)
            self.counts[look.site.block] = seen.new_zeros(len(self.words), *whole)
        sums, counts = self.sums[look.site.block], self.counts[look.site.block]
        if whole != sums.shape[2:]:  # Deep Shrink halves grids for a while
            placed, share = (F.interpolate(part, sums.shape[2:], mode="area") for part in (placed, share))
        sums[:, indices] += placed
        counts[indices] += share[0]

    def take(self, samples: Tensor) -> Captured | None:
        """What was read since the last time, or None: another node may have skipped every step."""
        if not self.sums:
            return None
        layers = {block: (total / self.counts[block].clamp_min(1e-6)).cpu() for block, total in self.sums.items()}
        asked, (mixed, grid) = self.settings.self_attention, self.selves.take()
        self.unrefined = asked and mixed is None
        self.forget()
        pixels = self.run.pixels
        return Captured(self.words, self.others, layers, mixed, grid, samples.cpu(), pixels, self.rivals, asked)

    def forget(self) -> None:
        """Begins again."""
        self.sums, self.counts, self.selves = {}, {}, Selves()

    def idle(self, run: Run) -> str:
        return super().idle(run) or (UNREFINED if self.unrefined else "")

    def finish(self, run: Run, samples: Tensor) -> None:
        captured = self.take(samples)
        if captured is not None:
            self.publish(captured)


def _area(look: Look) -> tuple[tuple[int, int], tuple[slice, slice]]:
    """The (h, w) that the whole picture has in this block, and the entry's area in it."""
    if look.entry.area is None:
        return look.site.grid, (slice(None), slice(None))
    parts, firsts = look.entry.area[:2], look.entry.area[2:]
    sides = zip(look.site.grid, look.run.noise_shape[-2:], parts, firsts, strict=True)
    (height, rows), (width, columns) = (_side(*side) for side in sides)
    return (height, width), (rows, columns)


def _side(tokens: int, whole: int, part: int, first: int) -> tuple[int, slice]:
    """Tokens along the whole picture, and which of them are the `part` latent cells from `first` on.

    Patches and blocks halve a side, rounding up; the host cuts an area at the picture's edge.
    """
    scale = 2 ** ceil(log2(min(part, whole - first) / tokens))
    every = ceil(whole / scale)
    start = min(round(first / scale), every - tokens)
    return every, slice(start, start + tokens)
