"""RegionAttention: each phrase happens in its region."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isclose

from comfy.model_patcher import ModelPatcher
from comfy.model_sampling import CONST
from comfy.samplers import CFGGuider
from torch import Tensor

from ..attention.bias import FUNCTIONS, Placed, Weights, weigh
from ..attention.cells import cells
from ..attention.quote import listed, short
from ..attention.regions import Region
from ..attention.scores import joint_logit_std
from ..attention.strength import noise_ratio
from .follow import Seeker
from .models.blocks import parse_blocks
from .models.reach import sites_of
from .models.site import Site
from .run.engine import AttentionEffect, Look
from .run.masks import BLACK, check_count, cut_to_area
from .run.rows import Entry
from .run.run import Run, attach
from .run.window import MISSED, Window
from .run.words import explain, rows_of

SIDES = {"positive": (False,), "negative": (True,), "both": (False, True)}
STD = ("per row", "joint")


@dataclass(frozen=True)
class RegionSettings:
    """What RegionAttention does, and when and where in the model."""

    weight_function: str = "spatial_control"
    apply_to: str = "positive"
    std: str = "per row"
    window: Window = field(default_factory=Window)
    blocks: str = ""


def place_regions(model: ModelPatcher, regions: tuple[Region, ...], settings: RegionSettings) -> ModelPatcher:
    """A clone whose attention draws every phrase into its region; ValueError where the model has no such attention.

    Source 003 (github.com/duongve13112002/DiffusionSpatialControl): softmax(a + sigma * std(a) * W) V.
    """
    blocks = parse_blocks(settings.blocks, sites_of(model).blocks)
    active = tuple(region for region in regions if not region.neutral)
    if not active:
        return model.clone()
    return attach(model, lambda: RegionBias(active, settings, blocks))


class RegionBias(AttentionEffect):
    """One run of RegionAttention."""

    node = "Region Attention"

    def __init__(self, regions: tuple[Region, ...], settings: RegionSettings, blocks: frozenset[str]) -> None:
        self.regions, self.settings, self.blocks = regions, settings, blocks
        self.function = FUNCTIONS[settings.weight_function]
        self.rows: dict[tuple, list[tuple[Region, tuple[int, ...]]]] = {}
        self.weights: dict[tuple, Weights] = {}
        self.open, self.ratio = False, 0.0
        follows = any(region.mask is None for region in regions)
        self.seeker = Seeker(regions, blocks, self.node) if follows else None

    @property
    def foreseen(self) -> bool:
        """Not while its regions look for their places."""
        return self.seeker is None or bool(self.seeker.masks)

    def start(self, run: Run) -> None:
        super().start(run)
        if self.seeker:
            self.seeker.start(run)

    def prepare(self, run: Run) -> None:
        entries = self._entries(run)
        if self.seeker:
            self.seeker.prepare(run)
        for region in self.regions:
            _check_batch(region, run)
            found = {entry.key: rows for entry in entries if (rows := rows_of(region.phrase, entry, region.occurrence))}
            if not found:
                explain(region.phrase, entries, region.occurrence)
            if region.off:
                continue
            for key, rows in found.items():
                self.rows.setdefault(key, []).append((region, rows))

    def _entries(self, run: Run) -> list[Entry]:
        """The conditionings in which phrases are placed."""
        side = self.settings.apply_to
        entries = [entry for entry in run.table.values() if entry.negative in SIDES[side] and entry.tokens]
        if not entries:
            raise ValueError(
                f"apply_to is {side}, but this sampler has no such conditioning with text; choose another apply_to, or "
                "a sampler or guider that has one."
            )
        if _skips_negative(run.guider) and all(entry.negative for entry in entries):
            raise ValueError(
                f"apply_to is {side}, but at CFG 1 the sampler leaves the negative prompt out; raise the CFG, or "
                "choose another apply_to."
            )
        return entries

    def step(self, run: Run) -> None:
        self.open = self.settings.window.contains(run.sigma, run.sampling)
        self.opened |= self.open
        if self.seeker:
            self._seek(run)
        self.ratio = noise_ratio(run.sigma, isinstance(run.sampling, CONST))

    def _seek(self, run: Run) -> None:
        """Lets regions without a mask act from here on, once they have one."""
        if self.seeker.settles(run):
            for key, found in self.rows.items():
                self.rows[key] = [(self.seeker.placed(region), rows) for region, rows in found]
            self.weights.clear()
        self.seeker.acted |= self.open and bool(self.seeker.masks)

    def idle(self, run: Run) -> str:
        if not self.opened:
            return MISSED
        dark = [region.phrase for region in self.regions if region.off]
        says = [BLACK.format(f"The mask of '{listed(dark)}'")] if dark else []
        if self.seeker and (lost := self.seeker.idle()):
            return " ".join([*says, lost])
        return " ".join([*says, super().idle(run)] if self.rows else says).strip()

    def wants(self, site: Site) -> bool:
        return self._acts(site) or (self.seeker is not None and self.seeker.wants(site))

    def _acts(self, site: Site) -> bool:
        return self.open and site.block in self.blocks and not site.self_attention

    def look(self, look: Look) -> Tensor | None:
        if self.seeker:
            self.seeker.look(look)
        if not self._acts(look.site) or not self._there(look.entry):
            return None
        self.looked = True
        std = joint_logit_std(look.every_q, look.every_k) if self.settings.std == "joint" else None
        return self.function(look.q, look.k, self._weights(look), self.ratio, std)

    def _there(self, entry: Entry) -> list[tuple[Region, tuple[int, ...]]]:
        """The regions of a conditioning that have a place by now, and the text rows of each."""
        return [(region, rows) for region, rows in self.rows.get(entry.key, ()) if region.mask is not None]

    def _weights(self, look: Look) -> Weights:
        key = (look.entry.key, look.site.grid, look.site.frames, look.q.device)
        if key not in self.weights:
            placed = [_placed(region, rows, look) for region, rows in self._there(look.entry)]
            self.weights[key] = weigh(placed, look.k.shape[2])
        return self.weights[key]


def _placed(region: Region, rows: tuple[int, ...], look: Look) -> Placed:
    pull = None if region.focus == 0 else _cells(region.pull, look)
    return Placed(_cells(region.mask, look), rows, region.strength, region.outside, pull)


def _cells(mask: Tensor, look: Look) -> Tensor:
    """(B or 1, frames * h * w) of a mask, cut to the entry's area."""
    part = cut_to_area(mask, look.entry.area, look.run.noise_shape)
    return cells(part, look.site.grid).flatten(1).repeat(1, look.site.frames).to(look.q.device)


def _skips_negative(guider: CFGGuider) -> bool:
    """As the host's own guiders do at CFG 1, unless a node forbids it."""
    own = type(guider).predict_noise is CFGGuider.predict_noise
    return own and isclose(guider.cfg, 1.0) and not guider.model_options.get("disable_cfg1_optimization")


def _check_batch(region: Region, run: Run) -> None:
    if region.mask is None:
        return
    masks = region.mask.shape[0]
    check_count(region.mask, run.noise_shape[0], f"The mask of '{short(region.phrase)}'")
    if masks > 1 and "context_handler" in run.guider.model_options:
        raise ValueError(
            f"The mask of '{short(region.phrase)}' holds {masks} pictures, which context windows cut apart; "
            "use one mask for all of them, or remove the context window node."
        )
