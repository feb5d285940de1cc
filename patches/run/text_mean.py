"""The mean of several prompts' encodings."""

from __future__ import annotations

import torch
from torch import Tensor

from .during import Entry
from .texts import FIXED, MASKS, POOLED, ROWS


def mean_text(entries: list[Entry], name: str) -> Entry:
    """The first entry with the mean of all texts, row by row, and of all pooled vectors; one entry is itself.

    name: of the input, for errors. ValueError: texts of different length, or with parts that have no mean.
    """
    if len(entries) == 1:
        return entries[0]
    texts = {"text": [text for text, _ in entries]}
    texts |= {key: [options.get(key) for _, options in entries] for key in (POOLED, *ROWS, *FIXED)}
    text, *more = (_mean(parts, key, name) for key, parts in texts.items())
    options = {key: part for key, part in zip(list(texts)[1:], more, strict=True) if part is not None}
    return [text, {**entries[0][1], **options, **_masks(entries)}]


def _mean(parts: list[Tensor | None], key: str, name: str) -> Tensor | None:
    first = parts[0]
    if all(part is None for part in parts):
        return None
    if not all(torch.is_tensor(part) and part.is_floating_point() for part in parts) or key in FIXED:
        raise ValueError(
            f"The prompts at {name} have {key} that has no mean; connect one prompt there, or choose another direction."
        )
    if len({part.shape for part in parts}) > 1:
        counts = " and ".join(str(count) for count in sorted({part.shape[-2] for part in parts}))
        raise ValueError(
            f"The prompts at {name} differ in length ({counts} rows of {key}), so they have no mean; write them alike, "
            "with about as many words each."
        )
    wide = torch.promote_types(first.dtype, torch.float32)
    return torch.stack([part.to(first.device, wide) for part in parts]).mean(0).to(first.dtype)


def _masks(entries: list[Entry]) -> dict[str, Tensor]:
    """The attention masks: a row counts where it counts in one of the texts."""
    found = {key: [options.get(key) for _, options in entries] for key in MASKS.values()}
    known = {key: masks for key, masks in found.items() if all(mask is not None for mask in masks)}
    return {key: torch.stack([mask.to(masks[0]) for mask in masks]).amax(0) for key, masks in known.items()}
