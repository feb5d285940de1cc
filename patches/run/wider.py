"""One attention call with more keys: those of other pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import pad

NAMES = ("q", "k", "v", "heads", "mask", "attn_precision", "skip_reshape", "skip_output_reshape")
"""What the host gives to a backend, in its order."""


def given_by(args: tuple, kwargs: dict) -> dict:
    """The arguments of a backend by their names."""
    return dict(zip(NAMES, args, strict=False)) | {name: kwargs[name] for name in NAMES if name in kwargs}


@dataclass(frozen=True)
class More:
    """What an effect adds to the keys of one attention call."""

    k: Tensor
    """(B or 1, heads of the keys, n, D)."""
    v: Tensor
    logits: Tensor | None = None
    """(B or 1, 1, Q or 1, n) to add to theirs; None: nothing."""
    change: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] | None = None
    """Makes other q and k (B, heads, tokens, D) of the call's own."""


def split(given: dict, name: str) -> Tensor:
    """(B, heads, tokens, D) of what a backend was given as q, k or v."""
    if given.get("skip_reshape"):
        return given[name]
    if given[name].ndim == 4:  # SD3's values
        return given[name].transpose(1, 2)
    width = given["q"].shape[-1] // given["heads"]
    return rearrange(given[name], "b n (h d) -> b h n d", d=width)


def heads_of(given: dict, name: str) -> Tensor:
    """As `split`; grouped queries share keys and values, which are repeated for them."""
    tokens, heads = split(given, name), given["heads"]
    return tokens if tokens.shape[1] == heads else tokens.repeat_interleave(heads // tokens.shape[1], 1)


def wider(given: dict, bias: Tensor | None, more: Sequence[More]) -> tuple[dict, Tensor | None]:
    """What a backend is given, and a bias (B, 1 or heads, Q, K) or None, for a call with more keys behind its own."""
    q, k, v = (split(given, name) for name in "qkv")
    for each in more:
        q, k = each.change(q, k) if each.change else (q, k)
    count = sum(each.k.shape[2] for each in more)
    bias = _bias(bias, k, more)
    wide = {"q": q, "k": _behind(k, [each.k for each in more]), "v": _behind(v, [each.v for each in more])}
    if not given.get("skip_reshape"):
        wide = {name: rearrange(tokens, "b h n d -> b n (h d)") for name, tokens in wide.items()}
    if (mask := given.get("mask")) is not None:  # the model's own, which says nothing of them
        wide["mask"] = pad(mask, (0, count), value=True if mask.dtype == torch.bool else 0.0)
    return {**given, **wide}, bias


def _behind(tokens: Tensor, others: list[Tensor]) -> Tensor:
    return torch.cat([tokens, *(other.to(tokens).expand(len(tokens), -1, -1, -1) for other in others)], 2)


def _bias(bias: Tensor | None, k: Tensor, more: Sequence[More]) -> Tensor | None:
    """The bias with the logits of the further keys behind it; None: all are 0."""
    if bias is None and all(each.logits is None for each in more):
        return None
    own = k.new_zeros(1, 1, 1, k.shape[2]) if bias is None else bias
    added = [k.new_zeros(1, 1, 1, each.k.shape[2]) if each.logits is None else each.logits.to(k) for each in more]
    rows = torch.broadcast_shapes(*(part.shape[:3] for part in (own, *added)))
    return torch.cat([part.expand(*rows, -1) for part in (own, *added)], -1)
