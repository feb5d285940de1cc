"""Attention logits q k^T / sqrt(D), and how far they spread, without holding the score matrix."""

from __future__ import annotations

import torch
from torch import Tensor


def logits(q: Tensor, k: Tensor) -> Tensor:
    """q (..., Q, D), k (..., K, D) -> q k^T / sqrt(D), (..., Q, K) in float32."""
    return (q.float() * q.shape[-1] ** -0.5) @ k.float().mT


def logit_std(q: Tensor, k: Tensor) -> Tensor:
    """Unbiased standard deviation of each row's logits over heads, queries and tokens, (B,) in float32.

    q: (B, heads, Q, D). k: (B, heads, K, D).
    Per head var = sum(Cq * Ck) + mq Ck mq' + mk Cq mk' (C covariances, m means over queries and tokens; DESIGN 4);
    over heads the means' own variance joins it. Unlike E[a^2] - E[a]^2 it keeps its digits at large offsets.
    """
    (mq, rq, cq), (mk, rk, ck) = _moments(q), _moments(k)
    within = (cq * ck).sum((2, 3)) + _quadratic(mq, ck) + _quadratic(mk, cq)  # (B, heads)
    var = (within.mean(1) + _between(mq, rq, mk, rk)) / q.shape[-1]
    count = q.shape[1] * q.shape[2] * k.shape[2]
    return (var * (count / (count - 1))).clamp_min(0).sqrt()


def joint_logit_std(q: Tensor, k: Tensor) -> Tensor:
    """`logit_std` of all rows together, as one value (): source 003's scale, where a picture depends on its batch."""
    return logit_std(q.flatten(0, 1)[None], k.flatten(0, 1)[None])[0]


def peak_logit(q: Tensor, k: Tensor) -> Tensor:
    """Largest logit of each row over heads, queries and tokens, (B,) in float32; holds one head's scores at a time."""
    heads = [logits(q[:, head], k[:, head]).amax((1, 2)) for head in range(q.shape[1])]
    return torch.stack(heads).amax(0)


def _moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x (B, heads, N, D) -> means over N, what rounding left of them (B, heads, 1, D), covariances (B, heads, D, D)."""
    x = x.float()
    mean = x.mean(2, keepdim=True)
    centred = x - mean
    return mean, centred.mean(2, keepdim=True), centred.mT @ centred / x.shape[2]


def _quadratic(mean: Tensor, covariance: Tensor) -> Tensor:
    """m C m' per head, (B, heads)."""
    return (mean @ covariance * mean).sum((2, 3))


def _between(mq: Tensor, rq: Tensor, mk: Tensor, rk: Tensor) -> Tensor:
    """Variance of (mq + rq) (mk + rk)' over heads, (B,), without the part that all heads share: it costs the digits."""
    q0, k0 = mq.mean(1, keepdim=True), mk.mean(1, keepdim=True)
    dq, dk = mq - q0 + rq, mk - k0 + rk
    return (q0 * dk + dq * k0 + dq * dk).sum((2, 3)).var(1, correction=0)
