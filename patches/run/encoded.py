"""What the encoders of a CLIP gave while it encoded a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import get_ident

from torch import Tensor
from torch.nn import Module


@dataclass
class Given:
    """What one encoder gave, as hooks on it see; only those of the thread that made this are looked at."""

    states: Tensor | None = None
    """(chunks, N, C), of the first layer if it gave several; None if it did not run. The host weighs it in place."""
    pictures: dict[int, int] = field(default_factory=dict)
    """First row -> rows of each picture or embedding that was put among its tokens."""
    thread: int = field(default_factory=get_ident)

    @property
    def rows(self) -> Tensor:
        """(chunks * N, C)"""
        return self.states.flatten(0, 1)

    def before(self, transformer: Module, args: tuple, kwargs: dict) -> None:
        if get_ident() == self.thread:
            self.pictures = {info["index"]: info["size"] for info in kwargs.get("embeds_info", ())}

    def after(self, encoder: Module, args: tuple, out: tuple[Tensor, ...]) -> None:
        if get_ident() == self.thread:
            states = out[0]  # all layers of an LLM take hundreds of MB, so only one of them is kept
            self.states = states[:, 0].clone() if states.ndim == 4 else states


@contextmanager
def watched(encoders: Mapping[str, Module]) -> Iterator[dict[str, Given]]:
    """Hooks on these encoders of the host for the time of the block, which fill in what each one gives."""
    given = {name: Given() for name in encoders}
    with ExitStack() as stack:
        for name, encoder in encoders.items():
            stack.callback(encoder.register_forward_hook(given[name].after).remove)
            if isinstance(transformer := getattr(encoder, "transformer", None), Module):
                hook = transformer.register_forward_pre_hook(given[name].before, with_kwargs=True)
                stack.callback(hook.remove)
        yield given
