"""The mix 'share' of InfusionBias: self-attention also looks at the pictures' keys and values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ..attention.sharing import Moments, aligned, column_logits, frequencies, moments, side_by_side
from .models.features import site_weights
from .models.reach import layers_of
from .models.site import Site
from .run.biasing import Biasing, InfuseSettings, Key
from .run.engine import AttentionEffect, Call, install
from .run.keys import Keep, show_keys
from .run.masks import check_count
from .run.run import Run
from .run.told import speaking
from .run.wider import More

SHARE = "share"
BUDGET = 2 * 2**30  # bytes of the keys and values that are kept
FULL = (
    "The keys and values of {} layers were left out, as those kept may take {} MB; give fewer pictures, or name fewer "
    "sites."
)
UNMET = "The model's self-attention was never met, so it did nothing: another node replaces it, or changes its tokens."


@dataclass(frozen=True)
class Kept:
    """One layer of the pictures."""

    k: Tensor
    """(1, heads, N * T, D)."""
    v: Tensor
    shares: Tensor
    """(N, T): of each place in what is looked at; a picture's are its own share, less under a mask."""
    wanted: tuple[Moments, Moments] | None
    """Of queries and keys, to align to; None: to nothing, as no place may be looked at."""

    @property
    def nbytes(self) -> int:
        return self.k.nbytes + self.v.nbytes


def layer_weights(settings: InfuseSettings, model: ModelPatcher) -> dict[str, float]:
    """Block -> weight; ValueError: this model's positions cannot be changed as is asked."""
    layers = layers_of(model)
    for name, value, can in (("apart", settings.apart, layers.moves), ("style", settings.style, layers.axes)):
        if value and not can:
            raise ValueError(
                f"In a model of the kind {type(model.get_model_object('diffusion_model')).__name__} the positions of "
                f"pictures cannot be changed, but {name} is {value:g}; set it to 0."
            )
    return layers.attending(site_weights(settings.sites, settings.preset, layers))


def check_share(settings: InfuseSettings, images: tuple, weights: dict[str, float], image_mask: Tensor | None) -> None:
    """ValueError: what the mix does not know."""
    if settings.mix != SHARE:
        if settings.align or settings.apart or settings.style or image_mask is not None:
            raise ValueError(
                "align, apart, style and image_mask belong to the mix 'share'; choose it, or leave them out."
            )
        return
    least = min(settings.weight, *images, *weights.values())
    if least < 0:
        raise ValueError(
            f"The mix 'share' takes no weight below 0, but {least:g} was given; to push away from pictures, choose the "
            "mix 'add'."
        )
    if image_mask is not None:
        check_count(image_mask, len(images), "image_mask", "were given")


class Sharing(Biasing, AttentionEffect):
    """One run of 'share': (list of the text, area) -> layer -> `Kept` is what is kept."""

    def __init__(self, *given: object, image_mask: Tensor | None = None) -> None:
        super().__init__(*given)
        self.image_mask = image_mask
        self.left_out: set[tuple[str, int]] = set()
        self.factors: Tensor | None = None
        """(D,) of the pictures' keys."""
        if image_mask is not None and not (image_mask * torch.tensor(self.images)[:, None, None]).any():
            self.dark = self.dark or "image_mask"

    def start(self, run: Run) -> None:
        super().start(run)
        if self.settings.style:
            self.factors = frequencies(layers_of(run.guider.model_patcher).axes, self.settings.style)
        install(run)

    def wants(self, site: Site) -> bool:
        return self.open and self.scale > 0 and site.pictures is not None and site.block in self.weights

    def _apply_model(self, executor, x, t, c_concat=None, c_crossattn=None, control=None, options=None, **kwargs):
        if self.open and self.scale > 0:
            with speaking(self.node):
                for key in map(self._key, self.run.chunks(options)):
                    if key not in self.features:
                        self.features[key] = {}
                        self._record(executor, x, t, options, key)
        return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)

    def _record(self, executor: object, x: Tensor, t: Tensor, options: dict, key: Key) -> None:
        features, sizes = self.features[key], {}
        others = sum(one.nbytes for kept in self.features.values() for one in kept.values())

        def wants(site: Site, size: int) -> bool:
            layer = site.block, site.index
            if site.block not in self.weights or layer in self.left_out:
                return False
            if others + sum((sizes | {layer: size}).values()) > BUDGET:
                self.left_out.add(layer)
                return False
            sizes[layer] = size
            return True

        def keep(site: Site, *shown: Tensor) -> None:
            features[site.block, site.index] = self._kept(site, key[1], *shown)

        how = Keep(wants, keep, self.settings.apart)
        show_keys(self.run, how, executor, x[:1], self._pictures(t), t[:1], key, options)

    def _kept(self, site: Site, area: tuple | None, q: Tensor, k: Tensor, v: Tensor) -> Kept:
        shares = torch.tensor(self.images, device=k.device)[:, None].expand(-1, k.shape[2]) / sum(self.images)
        if self.image_mask is not None:
            shares = shares * self._cells(self.image_mask, site.grid, area, site.frames).flatten(1)
        wanted = (moments(q, shares), moments(k, shares)) if self.settings.align and shares.any() else None
        if self.factors is not None:
            k = k * self.factors.to(k)
        return Kept(side_by_side(k), side_by_side(v), shares, wanted)

    def more(self, call: Call) -> More | None:
        site, keys = call.site, [self._key(entry) for entry in call.entries]
        kept = [self.features.get(key, {}).get((site.block, site.index)) for key in keys]
        if None in kept:
            return None
        self.looked = True
        rows = len(call.q) // len(keys)
        if len(set(keys)) == 1 and (self.given is None or len(self.given) == 1):
            keys, kept, rows = keys[:1], kept[:1], 1  # one serves the whole batch
        where = [self._where(site, call.q, area) for _, area in keys]
        k, v = (torch.cat([getattr(one, name).expand(rows, -1, -1, -1) for one in kept]) for name in "kv")
        return More(k, v, self._logits(site, kept, where, rows), self._change(site, kept, where, rows))

    def _where(self, site: Site, q: Tensor, area: tuple | None) -> Tensor | None:
        """(B or 1, Q) of the mask, 0 for queries that are not the picture's; None: 1 for all."""
        cells = None if self.given is None else self._mask(site.grid, area, site.frames).flatten(1)
        if site.queries.indices(q.shape[2]) == (0, q.shape[2], 1):
            return cells
        where = torch.zeros(1 if cells is None else len(cells), q.shape[2], device=q.device)
        where[:, site.queries] = 1.0 if cells is None else cells
        return where

    def _logits(self, site: Site, kept: list[Kept], where: list[Tensor | None], rows: int) -> Tensor | None:
        """(rows * chunks, 1, Q or 1, N * T); None: all are 0."""
        weight = self.scale * self.weights[site.block]
        if len(self.images) == 1 and weight == 1 and self.image_mask is None and where[0] is None:
            return None
        parts = [column_logits(weight, one.shares, at) for one, at in zip(kept, where, strict=True)]
        return torch.cat([part.expand(rows, -1, -1, -1) for part in parts])

    def _change(self, site: Site, kept: list[Kept], where: list[Tensor | None], rows: int) -> Callable | None:
        """Aligns the picture's queries and keys to the pictures', as far as the mask says."""
        if not self.settings.align:
            return None

        def moved(tokens: Tensor, place: slice, number: int) -> Tensor:
            tokens = tokens.clone()
            for part, one, at in zip(tokens[:, :, place].chunk(len(kept)), kept, where, strict=True):
                if one.wanted is None:
                    continue
                amount = part.new_ones(()) if at is None else at[:, None, site.queries, None].to(part)
                part.lerp_(aligned(part, one.wanted[number]), amount)
            return tokens

        return lambda q, k: (moved(q, site.queries, 0), moved(k, site.pictures, 1))

    def idle(self, run: Run) -> str:
        if self.left_out:
            return FULL.format(len(self.left_out), BUDGET // 2**20)
        return Biasing.idle(self, run) or ("" if self.looked or self.scale == 0 else UNMET)
