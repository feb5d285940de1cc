"""What an edit is measured against: the empty prompt, as the source has it, or the sampled one."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from ...attention.phrases import Tag, prompt_content_words
from .run import Run

AGAINST = ("auto", "empty", "prompt")
EMPTY = ("empty_negative_prompt", "negative", "middle", "positive")
"""Lists in their order: PerpNeg's empty prompt, the negative one (DualCFG without one: the middle), or at CFG 1 the
positive."""


def base_of(run: Run, prompt: bool) -> Tensor | None:
    """The prediction that a concept's own is compared with; None: this call made none that is known."""
    order = EMPTY[::-1] if prompt else EMPTY
    return next((run.predictions[name] for name in order if name in run.predictions), None)


def rewrites(tag: Tag | None, prompts: Iterable[Tag | None]) -> bool:
    """Whether a concept's text is a sampled prompt written anew: it repeats half of its content words or more.

    A text that is not tracked (None) is not known to be one.
    """
    words = set(prompt_content_words(tag)) if tag else set()
    named = [set(prompt_content_words(prompt)) for prompt in prompts if prompt]
    return any(2 * len(words & own) >= len(own) > 0 for own in named)
