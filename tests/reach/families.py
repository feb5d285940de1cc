"""What a tiny model of a further class is made of, and what it gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

import torch
from pack.tests.tiny_build import build
from pack.tests.tiny_models import PROMPT, Family
from torch import Tensor


@dataclass(frozen=True)
class Extra(Family):
    """A family whose prompt brings more than its text, or whose latents have another size."""

    config: str = ""
    """Its class in comfy.supported_models."""
    extra: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    """Further entries of a conditioning's options."""
    side: int = 16
    """Latent cells along each side."""
    sound: tuple[int, ...] = ()
    """(C, ...) of the sound that is packed with the video."""

    @property
    def known(self) -> bool:
        """Whether this host has its class."""
        import comfy.supported_models

        return hasattr(comfy.supported_models, self.config)

    def latent(self, batch: int = 1, height: int = 0, width: int = 0, frames: int = 1) -> object:
        from comfy.nested_tensor import NestedTensor

        video = super().latent(batch, height or self.side, width or self.side, frames)
        return NestedTensor((video, torch.zeros(batch, *self.sound))) if self.sound else video

    def conditioning(self, prompt: str = PROMPT, rows: int | None = None) -> list:
        [[text, options]] = super().conditioning(prompt, rows)
        return [[text, {**options, **{name: make() for name, make in self.extra.items()}}]]


def tiny(config: str, form: dict | Callable[[], dict], late: Mapping = (), **given: object) -> Extra:
    """A family of the host's class `config`; form: or what makes it for this host; late: as of `build`."""

    @cache
    def model():
        import comfy.supported_models

        return build(getattr(comfy.supported_models, config), form() if callable(form) else form, **dict(late))

    return Extra(model=model, config=config, **given)


def drawn(*shape: int) -> Callable[[], Tensor]:
    """The same random tensor each time."""
    return lambda: torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def forget(families: Mapping[str, Family]) -> None:
    """Ends the models while the host's modules still stand."""
    for family in families.values():
        family.model.cache_clear()
