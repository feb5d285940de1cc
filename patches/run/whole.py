"""A sampler of another pack, called once with its whole schedule: its state is changed at the model calls of the steps.

Such a function may plan over the schedule, so it is not cut. What is written into the tensor that it gives to the model
is its new state if that tensor is its own and it remembers nothing else, as in Euler's method. That is not taken on
trust: its own report of the step must hold the new state, and the next state must be Euler's step from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .told import speaking

ROUNDING = 100  # of the last digit of the largest value: solvers write the same step in different ways


def check_size(x: Tensor, shape: tuple[int, ...]) -> None:
    """ValueError: a sampler's state is no longer of the shape with which it began."""
    if x.shape != shape:
        raise ValueError(
            f"The sampler changes the size of what it samples from {list(shape)} to {list(x.shape)} on its way, and "
            "the picture to put back has one size; use a sampler that keeps the size, and enlarge in a run of its own."
        )


@dataclass
class Whole:
    """The model as the sampler's function sees it, and the function's report of each step."""

    model: object
    sigmas: Tensor
    steps: list[int]
    """Those before which the state is changed, rising; what is done is taken off."""
    change: Callable[[Tensor, int], Tensor]
    report: Callable | None
    """The host's own callback."""
    name: str
    """The sampler's, for errors."""
    node: str
    step: int = 0
    """The one whose model call comes next."""
    written: Tensor | None = None
    """The new state, until the sampler reports it."""
    expected: Tensor | None = None
    """The state after that step."""

    def __getattr__(self, name: str) -> object:
        return getattr(self.model, name)

    def __call__(self, x: Tensor, sigma: Tensor, *args, **kwargs) -> Tensor:
        self._compare(x)
        if self.steps and self.step == self.steps[0]:
            x.copy_(self.change(x, self.steps.pop(0)))
            self.written = x.clone()
        return self.model(x, sigma, *args, **kwargs)

    def callback(self, state: dict) -> None:
        """Called by every sampler in each step, after its first model call."""
        if self.written is not None:
            if state["i"] != self.step or not torch.equal(state["x"], self.written):
                self._refuse()
            level, after = self.sigmas[self.step : self.step + 2]
            self.expected = self.written + (self.written - state["denoised"]) / level * (after - level)
            self.written = None
        self.step = state["i"] + 1
        if self.report is not None:
            self.report(state)

    def end(self, x: Tensor) -> Tensor:
        """The function's result, after the last comparison."""
        self._compare(x)
        if self.steps or self.written is not None:
            self._refuse()
        return x

    def _compare(self, x: Tensor) -> None:
        expected, self.expected = self.expected, None
        if expected is None:
            return
        with speaking(self.node):
            check_size(x, expected.shape)
        scale = max(float(expected.abs().max()), float(x.abs().max()))
        if float((x - expected).abs().max()) > ROUNDING * torch.finfo(x.dtype).eps * scale:
            self._refuse()

    def _refuse(self) -> None:
        with speaking(self.node):
            raise ValueError(
                f"The sampler {self.name} may plan over its whole schedule, so it is not cut, and it does not go on "
                "from the picture put back alone (it keeps a history or a copy, or adds noise of its own); use one of "
                "KSampler's samplers, or euler inside it."
            )
