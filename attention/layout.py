"""Which row of the conditioning tensor each token of each encoder became."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher

import torch
from torch import Tensor

Token = int | Tensor | dict
"""A vocabulary id, an embedding (..., width), or a picture for an encoder that sees."""

Chunks = list[list[tuple]]
"""What a tokenizer of the host returns: chunks (of 77 for CLIP) of (token, weight)."""

_NO_TEXT = {"l": 2, "g": 2, "h": 2}
"""Rows of an encoder that was given no chunk at all (the SD3 node's `none`): start and end; elsewhere the end only."""


def place(chunks: Chunks, width: int | None, pictures: Mapping[int, int]) -> list[list[tuple[Token, int]]]:
    """Each chunk's tokens with their flat positions.

    width: channels of the encoder's token embeddings. As in ComfyUI's comfy/sd1_clip.py (process_tokens), an embedding
    of another width is left out, what follows moves up, and padding fills the chunk's end.
    pictures: first row -> rows of each picture that the encoder put among the tokens; others are left out too.
    """
    placed, start = [], 0
    for chunk in chunks:
        tokens, at = [], start
        for token, *_ in chunk:
            if not torch.is_tensor(token) or width is None or token.shape[-1] == width:
                tokens.append((token, at))
                at += pictures.get(at, 0) if isinstance(token, dict) else _size(token)
        placed.append(tokens)
        start += length(chunk)
    return placed


def length(chunk: list[tuple]) -> int:
    """Rows that a chunk without pictures takes."""
    return sum(_size(token) for token, *_ in chunk)


def _size(token: Token) -> int:
    return token.numel() // token.shape[-1] if torch.is_tensor(token) else 1


def kept(given: Tensor, final: Tensor) -> dict[int, int]:
    """Row of an encoder -> row of the tensor that holds the same numbers; empty if there are none.

    given: (N, C), what the encoder gave, or the first of the layers that each row is put together from.
    final: (R, D), the tensor: the rows that are left, in their order, the layers one after another or in turns.
    """
    channels, layers = given.shape[-1], final.shape[-1] // given.shape[-1]
    views = [final[:, :channels], final[:, ::layers]] if layers > 1 else [final] if layers else []
    blocks = (_same(given, view) for view in views if view.shape[-1] == channels)
    return max(blocks, key=len, default={})


def _same(given: Tensor, final: Tensor) -> dict[int, int]:
    sides = ([row.tobytes() for row in side.detach().float().cpu().numpy()] for side in (given, final))
    blocks = SequenceMatcher(None, *sides, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}


def spans(lengths: dict[str, int], rows: int, drops_template: bool) -> dict[str, tuple[int, int]]:
    """Encoder -> (row of its first token, row at which its block ends); encoders without rows are not in it.

    lengths: tokens of each encoder. rows: tokens of the tensor.
    drops_template: rows may be missing at the front (Qwen-Image cuts its template), then the first row is negative.
    CLIP alone (SD1, SDXL): its flat position. Flux: T5 only. SD3: the CLIP block, then T5. Empty where nothing fits.
    """
    clips = [name for name in ("l", "g") if name in lengths]
    others = [name for name in lengths if name not in ("l", "g", "byt5")]  # byt5 never joins the tensor
    rows_of = {name: count or _NO_TEXT.get(name, 1) for name, count in lengths.items()}
    shortest = min((rows_of[name] for name in clips), default=0)
    if len(others) > 1:
        return {}
    before = rows - sum(rows_of[name] for name in others)
    if others and (before == 0 or (before < 0 and drops_template)):
        return {others[0]: (before, rows)}
    if before != shortest:
        return {}
    return {**{name: (0, before) for name in clips}, **{name: (before, rows) for name in others}}
