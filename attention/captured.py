"""What one sampling run was seen to look at."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Captured:
    """The maps of one finished run, on the CPU."""

    words: tuple[str, ...]
    """The phrases asked for, then the other content words of the prompt."""
    others: dict[str, tuple[str, ...]]
    """For each phrase, the content words that are not part of it."""
    layers: dict[str, Tensor] = field(repr=False)
    """Block -> (B, words, h, w): probability of the word's tokens, mean over tokens, heads, layers and steps."""
    self_attention: Tensor | None = field(repr=False)
    """(B, T, T), each row sums to 1, or None."""
    self_grid: tuple[int, int]
    """(h, w) with h * w = T."""
    samples: Tensor = field(repr=False)
    """The latent that the run returned."""
    ratio: int = 8
    """Pixels per latent cell."""
    rivals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """For each phrase, the other phrases asked for that share no word of the prompt with it."""
    refinable: bool = False
    """Whether self-attention was asked for; None all the same where the model showed none."""

    @property
    def phrases(self) -> tuple[str, ...]:
        return tuple(self.others)
