"""A pass of the plain model over other pictures whose attention is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor
from torch.nn import Module

from ..models.reach import Sites
from ..models.site import Site
from .record import OVERRIDE, parts, plain_call
from .run import Run
from .wider import given_by, split

Keep = Callable[[Site, Tensor, Tensor, Tensor], None]
"""(site; q, k and v of the picture tokens, (N, heads, frames * h * w, D) each)."""


def show_keys(
    run: Run,
    sites: Sites,
    keep: Keep,
    executor: object,
    pictures: Tensor,
    t: Tensor,
    text: str,
    options: dict,
    area: tuple | None,
) -> None:
    """Has `keep` called in each attention call of the pictures (N, C, [frames,] h, w) to themselves."""
    [(x, shape)] = parts(run, pictures, pictures, area)  # no sound

    @contextmanager
    def listen(network: Module, given: dict, plain: dict) -> Iterator[dict]:
        rows, previous = given["c_crossattn"].shape[1], plain.get(OVERRIDE)

        def override(func: Callable, *args, **kwargs) -> Tensor:
            call = given_by(args, kwargs)
            site = sites.site(rows, call, kwargs.get("transformer_options") or {})
            if site is not None and site.pictures is not None:
                places = {"q": site.queries, "k": site.pictures, "v": site.pictures}
                keep(site, *(split(call, name)[:, :, place] for name, place in places.items()))
            return previous(func, *args, **kwargs) if previous else func(*args, **kwargs)

        options = {**plain, OVERRIDE: override}
        with sites.open(network, shape, given, options, override):
            yield options

    plain_call(run, executor, x, t, text, options, area, listen)
