"""Errors that say which node they come from: the frontend shows them under the sampler, where they arise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def technique(title: str) -> str:
    """A node's name in sentences: 'Keep Subject (Latent Cache Inject)' is called by what stands in brackets."""
    return title.removesuffix(")").rpartition("(")[2]


@contextmanager
def speaking(node: str) -> Iterator[None]:
    """Puts a node's name, short, before the sentence of a ValueError that does not begin with one already."""
    try:
        yield
    except ValueError as error:
        if hasattr(error, "lm_node"):
            raise
        told = ValueError(f"{technique(node)}: {error}")
        told.lm_node = node
        raise told from error
