"""How far a result moves by rounding alone: the bound of tests that compare two ways to the same result.

Which kernel a CPU takes, and so in which order it adds, depends on its kind, the number of rows and the dtype: a bound
that is written down is one CPU's.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

MARGIN = 3
"""How much larger than the measured rounding another one of the same kind may be, each a mean over a whole picture."""


def rms(change: Tensor) -> float:
    """Root of the mean square."""
    return float(change.double().square().mean().sqrt())


def noise_of(run: Callable[[], Tensor]) -> float:
    """The largest rms change of what `run`, without our nodes, gives when each of its layers adds in another order."""
    plain = run()
    return max(rms(_otherwise(how, run) - plain) for how in (_reversed, _apart, _doubled))


def within(ours: Tensor, expected: Tensor, noise: float) -> bool:
    """Equal but for rounding; noise: an rms change that rounding alone makes."""
    return rms(ours - expected) <= MARGIN * noise


def _otherwise(how: Callable, run: Callable[[], Tensor]) -> Tensor:
    with _Layers(how):
        return run()


class _Layers(TorchFunctionMode):
    """Computes linear layers and convolutions by `how(func, x, weight, ...)`, which is the same in exact numbers."""

    def __init__(self, how: Callable) -> None:
        super().__init__()
        self.how = how

    def __torch_function__(self, func, types, args=(), kwargs=None):
        how = self.how if func in (F.linear, F.conv2d, F.conv3d) else _as_it_is
        return how(func, *args, **(kwargs or {}))


def _as_it_is(func: Callable, *args, **options):
    return func(*args, **options)


def _reversed(func: Callable, x: Tensor, weight: Tensor, *rest, **options) -> Tensor:
    """The sum over the channels from the last to the first."""
    channels = -1 if func is F.linear else 1
    if weight.shape[channels] != x.shape[channels]:  # a convolution in groups
        return func(x, weight, *rest, **options)
    return func(x.flip(channels), weight.flip(channels), *rest, **options)


def _apart(func: Callable, x: Tensor, *rest, **options) -> Tensor:
    """Row by row."""
    return torch.cat([func(row, *rest, **options) for row in x.split(1)])


def _doubled(func: Callable, x: Tensor, *rest, **options) -> Tensor:
    """In a batch of twice the size."""
    return func(torch.cat([x, x]), *rest, **options)[: len(x)]
