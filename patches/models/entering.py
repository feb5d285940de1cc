"""Reading and changing what enters a layer that no patch of the host reaches."""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident

from torch import Tensor
from torch.nn import Module


class Entering:
    """While open, `act` is given what enters `network.out` in the present call of the network, and may return another.

    The module is shared: calls in other threads, and those that another node makes inside of this one, are left alone.
    """

    def __init__(self, network: Module, act: Callable[[Tensor], Tensor | None]) -> None:
        self.network, self.act = network, act
        self.thread, self.inside = get_ident(), 0

    def __enter__(self) -> None:
        self.hooks = [
            self.network.register_forward_pre_hook(lambda *_: self._deeper(1)),
            self.network.register_forward_hook(lambda *_: self._deeper(-1), always_call=True),
            self.network.out.register_forward_pre_hook(lambda _, args: self._enter(args[0])),
        ]

    def __exit__(self, *error: object) -> None:
        for hook in self.hooks:
            hook.remove()

    def _deeper(self, by: int) -> None:
        if get_ident() == self.thread:
            self.inside += by

    def _enter(self, h: Tensor) -> Tensor | None:
        return self.act(h) if get_ident() == self.thread and not self.inside else None
