"""Modules that say when they run, for the time of one model call.

Modules are shared: what other threads run, or where it matters another node inside of the call, is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from threading import get_ident

from torch import Tensor
from torch.nn import Module

_LEVEL: ContextVar[int] = ContextVar("lm_level", default=0)
Enter = Callable[[str, dict], None]
"""(name, transformer_options) before a module runs."""
Leave = Callable[[str, object], object]
"""(name, output) after it, None on its way to an error; may return another output."""


@contextmanager
def apart() -> Iterator[None]:
    """What runs inside is no part of the calls that are listened to from outside of it."""
    token = _LEVEL.set(_LEVEL.get() + 1)
    try:
        yield
    finally:
        _LEVEL.reset(token)


class Here:
    """Whether this is the thread, and the level of `apart`, in which it was made."""

    def __init__(self) -> None:
        self.place = get_ident(), _LEVEL.get()

    def __call__(self) -> bool:
        return self.place == (get_ident(), _LEVEL.get())


class Own:
    """Whether this thread is in the network's own call, not in one that another node makes inside of it."""

    def __init__(self, network: Module) -> None:
        self.network, self.here, self.depth = network, Here(), 0

    def __call__(self) -> bool:
        return self.here() and self.depth == 1

    def __enter__(self) -> None:
        self.hooks = [
            self.network.register_forward_pre_hook(lambda *_: self._deeper(1)),
            self.network.register_forward_hook(lambda *_: self._deeper(-1), always_call=True),
        ]

    def __exit__(self, *error: object) -> None:
        for hook in self.hooks:
            hook.remove()

    def _deeper(self, by: int) -> None:
        if self.here():
            self.depth += by


@contextmanager
def announced(modules: Mapping[str, Module], enter: Enter, leave: Leave) -> Iterator[None]:
    """Has both called while open, for modules that run in this thread."""
    here = Here()

    def before(name: str) -> Callable:
        def hook(module: Module, args: tuple, kwargs: dict) -> None:
            if here():
                enter(name, kwargs.get("transformer_options") or {})

        return hook

    def after(name: str) -> Callable:
        return lambda _module, _args, out: leave(name, out) if here() else None

    with ExitStack() as stack:
        for name, module in modules.items():
            stack.callback(module.register_forward_pre_hook(before(name), with_kwargs=True).remove)
            stack.callback(module.register_forward_hook(after(name), always_call=True).remove)
        yield


@contextmanager
def entering(network: Module, act: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """While open, `act` is given what enters `network.out`, which no patch reaches, and may return another."""
    own, hook = Own(network), network.out.register_forward_pre_hook
    with own, ExitStack() as stack:
        stack.callback(hook(lambda _, args: act(args[0]) if own() else None).remove)
        yield
