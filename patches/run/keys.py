"""A pass of the plain model over other pictures whose attention is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import Module

from ..models.reach import Sites
from ..models.site import Site
from .biasing import Key
from .engine import KEY
from .record import OVERRIDE, parts, plain_call, text_of
from .run import Run
from .wider import given_by, split

Shown = tuple[Tensor, Tensor, Tensor]
"""q, k and v of the picture tokens, (N, heads, frames * h * w, D) each."""


@dataclass(frozen=True)
class Keep:
    """What becomes of the attention of pictures to themselves."""

    wants: Callable[[Site, int], bool]
    """(site, bytes of k and v of all pictures), before any of them is kept."""
    keep: Callable[[Site, Tensor, Tensor, Tensor], None]
    """(site; q, k and v of all pictures)."""
    apart: float = 0.0
    """By how many of their widths the pictures are moved to the right of their places."""


def show_keys(
    run: Run, how: Keep, executor: object, x: Tensor, pictures: Tensor, t: Tensor, key: Key, options: dict
) -> None:
    """Shows the attention calls of pictures (N, C, [frames,] h, w) to themselves; x: as of `parts`."""
    calls, seen = parts(run, x, pictures, key[1]), {}
    sites: Sites = run.options[KEY]

    def keep(site: Site, *shown: Tensor) -> None:
        layer = site.block, site.index
        if how.wants(site, len(calls) * sum(tokens.nbytes for tokens in shown[1:])):
            seen.setdefault(layer, []).append(shown)
            if len(seen[layer]) == len(calls):  # videos with sound come one by one
                how.keep(site, *map(torch.cat, zip(*seen.pop(layer), strict=True)))

    for latent, shape in calls:

        @contextmanager
        def listen(network: Module, given: dict, plain: dict, shape: tuple = shape) -> Iterator[dict]:
            override = _keeping(sites, keep, given["c_crossattn"].shape[1], plain.get(OVERRIDE))
            options = {**plain, OVERRIDE: override}
            if how.apart:
                options = sites.moved(network, shape, given, options, how.apart)
            with sites.open(network, shape, given, options, override):
                yield options

        plain_call(executor, latent, t, text_of(run, key[0], len(latent), key[1]), options, listen)


def _keeping(sites: Sites, keep: Callable, rows: int, previous: Callable | None) -> Callable:
    """What stands at the host's override, in front of another node's; rows: of the text."""

    def override(func: Callable, *args, **kwargs) -> Tensor:
        call = given_by(args, kwargs)
        site = sites.site(rows, call, kwargs.get("transformer_options") or {})
        if site is not None and site.pictures is not None:
            places = {"q": site.queries, "k": site.pictures, "v": site.pictures}
            keep(site, *(split(call, name)[:, :, place] for name, place in places.items()))
        return previous(func, *args, **kwargs) if previous else func(*args, **kwargs)

    return override
