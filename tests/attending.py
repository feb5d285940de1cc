"""The attention that a tiny model really computes, read and biased score by score; shares no code with the engine.

Put on a MODEL before our node, so that our override chains it and hands it the mask: `view.on(model)`.
Calls are told apart by their sizes alone, which therefore must differ: no number of picture tokens may equal n.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

import torch
from pack.tests.patches.placing import covered
from pack.tests.tiny_models import FAMILIES
from torch import Tensor


@dataclass
class View:
    """What every text-carrying call of one family is shown to; `seen` keeps what it returns."""

    family: str
    size: tuple[int, ...]
    """(h, w) or (frames, h, w) of the latent that the model sees."""
    rows: int = 0
    """Of the conditioning; 0 is the family's own number."""
    after: int = 0
    """Tokens of reference pictures behind the picture."""
    seen: list = field(default_factory=list)
    dtypes: set = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rows = self.rows or FAMILIES[self.family].rows

    def on(self, model):
        patched = model.clone()
        patched.model_options["transformer_options"]["optimized_attention_override"] = self
        return patched

    def __call__(self, func, *args, **kwargs):
        given = dict(zip(("q", "k", "v", "heads", "mask"), args, strict=False)) | kwargs
        q, k, v = (_heads(given[name], given) for name in "qkv")
        picture = self.picture(q.shape[2], k.shape[2])
        if picture is None:
            return func(*args, **kwargs)
        self.dtypes.add(q.dtype)
        scores, mask = q.double() @ k.double().mT * q.shape[3] ** -0.5, 0.0
        if given.get("mask") is not None:
            mask = given["mask"].double()
            mask = mask[:, None] if mask.ndim == 3 else mask
        changed = self.look(scores, mask, *picture, given["transformer_options"])
        if changed is None:
            return func(*args, **kwargs)
        return ((changed + mask).softmax(-1) @ v.double()).to(q.dtype).transpose(1, 2).flatten(2)

    def picture(self, queries: int, keys: int) -> tuple[slice, tuple[int, int], int] | None:
        """(picture tokens among the queries, their grid, frames) of a call that carries text, else None."""
        family = FAMILIES[self.family]
        *frames, height, width = self.size
        frames = frames[0] if frames else 1
        if not family.joint and family.video is False:
            grids = [(ceil(height / 2**i), ceil(width / 2**i)) for i in range(5)]
            grid = next((grid for grid in grids if grid[0] * grid[1] == queries), None)
            return (slice(None), grid, 1) if keys != queries and keys % self.rows == 0 else None
        grid, multiple = (ceil(height / 2), ceil(width / 2)), 32 if self.family == "z_image" else 1
        tokens = frames * grid[0] * grid[1]
        if not family.joint:
            return (slice(None), grid, frames) if (queries, keys) == (tokens, self.rows) else None
        first = ceil(self.rows / multiple) * multiple
        whole = first + ceil(tokens / multiple) * multiple + self.after
        return (slice(first, first + tokens), grid, frames) if queries == keys == whole else None

    def look(self, scores: Tensor, mask, picture: slice, grid, frames: int, options: dict) -> Tensor | None:
        """scores (B, heads, Q, K) and the mask that reaches the backend; other scores, or None for the host's own."""
        raise NotImplementedError


@dataclass
class Mass(View):
    """Keeps (inside, outside) of every text-carrying call: probability of the phrase's tokens, mean over heads and
    over the picture's tokens inside, or outside, of the mask; row 0 of the batch."""

    phrase: tuple[int, ...] = (2, 3)
    mask: Tensor | None = None

    def look(self, scores, mask, picture, grid, frames, options):
        seen = (scores + mask).softmax(-1)[0, :, picture].mean(0)
        seen = seen[:, [c for c in range(_texts(seen, self)) if c % self.rows in self.phrase]].sum(1)
        inside = covered(self.mask[0], *grid).flatten().repeat(frames)
        self.seen.append(tuple(float((seen * w).sum() / w.sum()) for w in (inside, 1 - inside)))

    @property
    def mean(self) -> tuple[float, float]:
        inside, outside = zip(*self.seen, strict=True)
        return sum(inside) / len(inside), sum(outside) / len(outside)


@dataclass
class Own(View):
    """Keeps (B, words, h, w) of every text-carrying call: probability among the text's own tokens, mean over heads,
    tokens of the word and frames, for the words at `words`."""

    words: tuple[tuple[int, ...], ...] = ()

    def look(self, scores, mask, picture, grid, frames, options):
        seen = scores[:, :, picture, : self.rows].softmax(-1).mean(1)
        maps = torch.stack([seen[..., list(rows)].mean(-1) for rows in self.words], 1)
        self.seen.append(maps.unflatten(2, (frames, *grid)).mean(2))


@dataclass
class Placed(View):
    """softmax(a + ratio * std(a) * W) V for regions (mask, rows, S, S') of the positive."""

    regions: tuple = ()
    flow: bool = False

    def look(self, scores, mask, picture, grid, frames, options):
        self.seen.append(tuple(options["cond_or_uncond"]))
        chunks, sigma = options["cond_or_uncond"], float(options["sigmas"][0])
        signal = 1 - sigma if self.flow else 1.0
        ratio = min(sigma / signal, 14.614647) if signal > 0 else 14.614647
        size = len(scores) // len(chunks)
        for row in (row for row in range(len(scores)) if chunks[row // size] == 0):
            texts = scores[row, :, picture, : self.rows]
            bias = ratio * texts.std() * self._weights(grid, frames, row % size)
            scores[row, :, picture, : _texts(scores, self)] += bias.repeat(1, _texts(scores, self) // self.rows)
        return scores

    def _weights(self, grid: tuple[int, int], frames: int, item: int) -> Tensor:
        weights = torch.zeros(frames * grid[0] * grid[1], self.rows, dtype=torch.float64)
        for mask, rows, strength, outside in self.regions:
            inside = covered(mask[item % len(mask)], *grid).flatten().repeat(frames)
            for row in rows:
                weights[:, row] += strength * inside - outside * (1 - inside)
        return weights


class Calls:
    """An override set on the MODEL: (block, mask) of every attention call, and which block of `watch` really ran."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Tensor | None]] = []
        self.true: list[int] = []
        self.running = -1

    def on(self, model):
        patched = model.clone()
        patched.model_options["transformer_options"]["optimized_attention_override"] = self
        return patched

    def watch(self, blocks: torch.nn.ModuleList) -> list:
        def enter(number: int):
            return lambda *_: setattr(self, "running", number)

        return [block.register_forward_pre_hook(enter(i)) for i, block in enumerate(blocks)]

    def __call__(self, func, *args, **kwargs):
        options = kwargs["transformer_options"]
        self.seen.append((f"{options.get('block_type')}.{options.get('block_index')}", kwargs.get("mask")))
        self.true.append(self.running)
        return func(*args, **kwargs)

    @property
    def masks(self) -> list[Tensor]:
        return [mask for _, mask in self.seen if mask is not None]


def conditioned(conditioning: list, **options) -> list:
    """The conditioning with options of the host added."""
    return [[text, {**given, **options}] for text, given in conditioning]


def _texts(scores: Tensor, view: View) -> int:
    """Text tokens among the keys, with the host's repeats."""
    return view.rows if FAMILIES[view.family].joint else scores.shape[-1]


def _heads(tokens: Tensor, given: dict) -> Tensor:
    if tokens.ndim == 4:
        return tokens if given.get("skip_reshape") else tokens.transpose(1, 2)
    return tokens.unflatten(2, (given["heads"], -1)).transpose(1, 2)
