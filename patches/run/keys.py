"""A pass of the plain model over other pictures whose attention is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor
from torch.nn import Module

from ..models.reach import Sites
from ..models.site import Site
from .biasing import Key
from .engine import KEY
from .record import OVERRIDE, parts, plain_call, text_of
from .run import Run
from .wider import given_by, split

Keep = Callable[[Site, Tensor, Tensor, Tensor], None]
"""(site; q, k and v of the picture tokens, (N, heads, frames * h * w, D) each)."""


def show_keys(run: Run, keep: Keep, executor: object, pictures: Tensor, t: Tensor, key: Key, options: dict) -> None:
    """Has `keep` called in each attention call of the pictures (N, C, [frames,] h, w) to themselves."""
    [(x, shape)] = parts(run, pictures, pictures, key[1])  # no sound
    sites: Sites = run.options[KEY]

    @contextmanager
    def listen(network: Module, given: dict, plain: dict) -> Iterator[dict]:
        override = _keeping(sites, keep, given["c_crossattn"].shape[1], plain.get(OVERRIDE))
        options = {**plain, OVERRIDE: override}
        with sites.open(network, shape, given, options, override):
            yield options

    plain_call(executor, x, t, text_of(run, key[0], len(x), key[1]), options, listen)


def _keeping(sites: Sites, keep: Keep, rows: int, previous: Callable | None) -> Callable:
    """What stands at the host's override, in front of another node's; rows: of the text."""

    def override(func: Callable, *args, **kwargs) -> Tensor:
        call = given_by(args, kwargs)
        site = sites.site(rows, call, kwargs.get("transformer_options") or {})
        if site is not None and site.pictures is not None:
            places = {"q": site.queries, "k": site.pictures, "v": site.pictures}
            keep(site, *(split(call, name)[:, :, place] for name, place in places.items()))
        return previous(func, *args, **kwargs) if previous else func(*args, **kwargs)

    return override
