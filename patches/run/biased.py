"""One attention call with a bias: the backends that take one, and overrides of other nodes that do not."""

from __future__ import annotations

import logging
from collections.abc import Callable

import comfy.ldm.modules.attention as host
import torch
from comfy.model_management import OOM_EXCEPTION
from torch import Tensor

WITHOUT_MASK = ("flash", "sage", "int8")
"""Backends that drop, refuse or approximate a float mask; `attention_pytorch` stands in for biased calls."""
EXACT = {"low_precision_attention": False}
"""Asks an override for attention that heeds masks, as the host's models do; the host's own backends ignore it."""


class Biased:
    """The biased calls of one run, through the override that another node set unless that does not heed them."""

    def __init__(self) -> None:
        self.heeded: bool | None = None
        """None: not known before the first call in which a bias matters."""

    def __call__(
        self, previous: Callable | None, func: Callable, qkv: list, given: dict, bias: Tensor, nodes: str
    ) -> Tensor:
        """previous: the other override. qkv: q, k, v and heads. given: further arguments, with the model's own mask."""
        func, plain = masked(func), given
        given = {**given, "mask": join(bias, given.get("mask"))}
        if previous is None or self.heeded is False:
            return func(*qkv, **given)
        if self.heeded:
            return previous(func, *qkv, **{**given, **EXACT})
        out, own = _unless_refused(previous, func, *qkv, **{**given, **EXACT}), func(*qkv, **given)
        if out is not None and not torch.equal(out, own) and torch.equal(own, func(*qkv, **plain)):
            return out  # the bias is too small to tell
        self.heeded = out is not None and (
            torch.equal(out, own) or not torch.equal(out, previous(func, *qkv, **{**plain, **EXACT}))
        )
        if self.heeded:
            return out
        logging.getLogger(__name__).warning(
            "%s: the attention that another node chose takes no mask; calls with one do without it in this run.", nodes
        )
        return own


def _unless_refused(previous: Callable, *args: object, **kwargs: object) -> Tensor | None:
    """None: the override answers a mask with an error, as flash attention does."""
    try:
        return previous(*args, **kwargs)
    except OOM_EXCEPTION:
        raise
    except (RuntimeError, AssertionError):
        previous(*args, **{**kwargs, "mask": None})  # an error that is not the mask's is raised again
        return None


def masked(backend: Callable) -> Callable:
    """The backend for biased calls."""
    return host.attention_pytorch if any(name in backend.__name__ for name in WITHOUT_MASK) else backend


def join(mask: Tensor, given: Tensor | None) -> Tensor:
    """Our bias and the mask a model gave, as of `as_bias`."""
    return mask if given is None else mask + as_bias(given, mask.dtype)


def as_bias(given: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """What a mask adds to the logits: (Q, K), (B, Q, K) or (B, 1 or heads, 1 or Q, K), bool or float -> four axes."""
    if given is None:
        return None
    if given.dtype == torch.bool:
        given = torch.zeros_like(given, dtype=dtype).masked_fill(~given, float("-inf"))
    given = given.to(dtype)
    return given[None, None] if given.ndim == 2 else given.unsqueeze(1) if given.ndim == 3 else given
