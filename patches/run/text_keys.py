"""The keys and values that a text gets in every block of a transformer: of a pass of the plain model over a strip."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from comfy.samplers import encode_model_conds
from torch import Tensor
from torch.nn import Module

from ..models.reach import Sites
from ..models.site import Site
from .biased import as_bias, join, masked
from .concepts import OWN, words_of
from .engine import KEY
from .packed import packed, with_video
from .record import OVERRIDE, plain_call, rows_of
from .run import Run
from .wider import NAMES, given_by, heads_of


@dataclass(frozen=True)
class Kept:
    """A text in one block."""

    k: Tensor = field(repr=False)
    """(b, heads, n, D), as v."""
    v: Tensor = field(repr=False)
    mask: Tensor | None = field(repr=False)
    """(b or 1, 1 or heads, 1, n) of the model's own, that is added to the logits; None: nothing."""


def strip(x: Tensor, token: tuple[int, int, int]) -> Tensor:
    """The middle of a latent (b, C, [frames,] h, w): its longer side whole, a token across, a token of frames.

    In its own resolution and noise, so that the model knows it; positions of a text that follow a picture's longer side
    (Qwen-Image) stay. token: (frames, h, w) in latent cells.
    """
    axis = -2 if x.shape[-1] >= x.shape[-2] else -1
    across = min(token[axis], x.shape[axis])
    part = x.narrow(axis, (x.shape[axis] - across) // 2 // across * across, across)
    return part if x.ndim < 5 else part[:, :, : token[0]]


class TextKeys:
    """Of one text in one run."""

    def __init__(self, run: Run, text: Tensor, options: dict, token: tuple[int, int, int]) -> None:
        """text, options: a conditioning's. token: latent cells, (frames, h, w)."""
        self.run, self.token, self.words = run, token, {"cross_attn": text, **words_of(options)}
        self.encoded: dict[tuple, dict] = {}

    def keys(self, executor: object, x: Tensor, t: Tensor, options: dict) -> dict[str, Kept]:
        """Block -> `Kept`. x (b, ...), t (b,): of the call that asks; options: its own. executor: of APPLY_MODEL."""
        video, found = self.run.video(x), {}
        part = strip(video, self.token)
        sites: Sites = self.run.options[KEY]
        more = math.log(video[0, 0].numel() / part[0, 0].numel())

        @contextmanager
        def listen(network: Module, given: dict, plain: dict) -> Iterator[dict]:
            override = _keeping(sites, found, given["c_crossattn"].shape[1], more, plain.get(OVERRIDE))
            options = {**plain, OVERRIDE: override}
            with sites.open(network, part.shape, given, options, override):
                yield options

        given = rows_of(self._encoded(part), len(part))
        plain_call(executor, self._packed(x, part), t, given, options, listen)
        return found

    def _packed(self, x: Tensor, part: Tensor) -> Tensor:
        return with_video(x, part, self.run.latent_shapes)

    def _encoded(self, part: Tensor) -> dict:
        """The text as the model gets it beside latents of the part's shape, with the numbers of the sampled prompt."""
        key = part.shape[1:]
        if key not in self.encoded:
            run, prompt = self.run, self.run.guider.conds["positive"][0]
            numbers = {n: value for n, value in prompt.items() if n not in OWN and isinstance(value, int | float)}
            row = {**numbers, **self.words, "model_conds": {}, "uuid": uuid4()}
            shapes = [[1, *key], *run.latent_shapes[1:]] if packed(run.latent_shapes) else run.latent_shapes
            noise = self._packed(run.given["noise"][:1], part[:1]).to(run.given["noise"])
            given = {"latent_image": noise * 0.0, "seed": run.given["seed"], "latent_shapes": shapes}
            extra = run.guider.inner_model.extra_conds
            [self.encoded[key]] = encode_model_conds(extra, [row], noise, noise.device, "positive", **given)
        return self.encoded[key]


def _keeping(sites: Sites, found: dict[str, Kept], rows: int, more: float, previous: Callable | None) -> Callable:
    """What stands at the host's override, in front of another node's.

    rows: of the text. more: of logits, so that a strip's tokens count as much as all of the picture would.
    """

    def override(func: Callable, *args, **kwargs) -> Tensor:
        call = given_by(args, kwargs)
        site = sites.site(rows, call, kwargs.get("transformer_options") or {})
        texts = site is not None and not site.self_attention
        if texts:
            found[site.block] = _kept(site, call)
        if not texts or site.pictures is None:
            return previous(func, *args, **kwargs) if previous else func(*args, **kwargs)
        bias = call["q"].new_zeros(1, 1, 1, call["k"].shape[-2])
        bias[..., site.pictures] = more
        given = {**kwargs, **call, "mask": join(bias, call.get("mask"))}
        qkv = [given.pop(name) for name in NAMES[:4]]
        return masked(func)(*qkv, **given)

    return override


def _kept(site: Site, call: dict) -> Kept:
    k, v = (heads_of(call, name)[:, :, site.keys] for name in "kv")
    mask = as_bias(call.get("mask"), k.dtype)
    if mask is not None:
        first = site.queries.indices(mask.shape[2])[0] if mask.shape[2] > 1 else 0
        mask = mask[:, :, first : first + 1, site.keys]
    return Kept(k, v, mask)
