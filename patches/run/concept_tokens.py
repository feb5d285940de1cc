"""Edit concepts that act in a transformer's attention to its text, without rows of their own in the model's batch."""

from __future__ import annotations

from collections.abc import Callable

from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from torch import Tensor

from ...attention.cells import cells
from ...attention.steered import steered
from ...attention.text_part import text_part
from ..models.site import Site
from ..models.table import family_of
from .attended import Attended
from .concepts import Concept, check_widths
from .engine import AttentionEffect, install
from .inside import Inside, pull_of
from .masks import cut_to_area
from .record import check_one_device
from .rows import Entry
from .run import Run
from .text_keys import Kept, TextKeys
from .told import speaking


class ConceptTokens(Inside, AttentionEffect):
    """Steers what the picture's tokens get from the prompt's text, as cross-attention does, in every block.

    Where text and picture meet in one attention, the text's part of it is steered and keeps its size: the prompt's
    tokens never see a concept.
    """

    def __init__(self, concepts: tuple[Concept, ...], unused: bool) -> None:
        super().__init__(concepts, unused)
        self.texts: list[TextKeys] = []
        self.neutral: TextKeys | None = None
        self.seen: dict[tuple | None, dict[TextKeys, dict[str, Kept]]] = {}
        """Of this step: area -> text -> block -> keys and values."""

    def start(self, run: Run) -> None:
        self.run = run
        add_wrapper_with_key(WrappersMP.APPLY_MODEL, f"lm_tokens_{id(self)}", self._apply_model, run.options)
        install(run)

    def prepare(self, run: Run) -> None:
        super().prepare(run)
        check_one_device(run)
        for concept in self.concepts:
            for entry in run.guider.conds["positive"]:
                check_widths(concept, entry)
        network = run.guider.model_patcher.get_model_object("diffusion_model")
        token = family_of(network).cells(network)
        self.texts = [TextKeys(run, *concept.conditioning[0], token) for concept in self.concepts]
        against = self.against()
        self.neutral = against and TextKeys(run, against["cross_attn"], against, token)

    def step(self, run: Run) -> None:
        super().step(run)
        self.seen.clear()

    def wants(self, site: Site) -> bool:
        return bool(self.acting) and not site.self_attention

    def _apply_model(self, executor, x, t, c_concat=None, c_crossattn=None, control=None, options=None, **kwargs):
        chunks = self.run.chunks(options) if self.acting and "uuids" in options else []
        for i, entry in enumerate(chunks):
            if self.owns(entry) and entry.area not in self.seen:
                rows = len(x) // len(chunks)
                at = slice(i * rows, (i + 1) * rows)
                with speaking(self.node):
                    self.seen[entry.area] = {
                        text: text.keys(executor, x[at], t[at], options)
                        for text in [*(self.texts[i] for i in self.acting), self.neutral]
                        if text is not None
                    }
        return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)

    def after(self, seen: Attended, out: Tensor) -> Tensor:
        block = seen.call.site.block
        parts = {
            i: self._steering(seen, i, entry)
            for i, entry in enumerate(seen.call.entries)
            if self.owns(entry) and all(block in kept for kept in self.seen[entry.area].values())
        }
        if not parts:
            return out
        self.met = True
        return seen.changed(out, parts)

    def _steering(self, seen: Attended, chunk: int, entry: Entry) -> Callable[[Tensor], Tensor]:
        """Of what the picture of a chunk gets, (b, Q, C)."""
        site, rows = seen.call.site, seen.rows(chunk)
        kept = {text: blocks[site.block] for text, blocks in self.seen[entry.area].items()}
        q = seen.q[rows, :, site.queries]
        given = {text: seen.attend(q, one.k, one.v, one.mask) for text, one in kept.items()}
        pulls = [
            pull_of(concept, given[text], given.get(self.neutral), self._share(concept, entry, site, q))
            for concept, text in ((self.concepts[i], self.texts[i]) for i in self.acting)
        ]
        if site.pictures is None:
            return lambda out: steered(out, pulls)
        mask, k, v = seen.picture_mask(rows), seen.k[rows], seen.v[rows]
        own = None if mask is None else mask[..., site.keys]
        text = seen.attend(q, k[:, :, site.keys], v[:, :, site.keys], own)
        part = text_part(q, k, mask, site.keys, (site.frames, *site.grid)).repeat_interleave(q.shape[3], 2)
        return lambda out: steered(out, pulls, text, part)

    def _share(self, concept: Concept, entry: Entry, site: Site, q: Tensor) -> Tensor | float:
        """The weight, under the mask (b or 1, Q, 1)."""
        if concept.mask is None:
            return concept.weight
        part = cut_to_area(concept.mask, entry.area, self.run.noise_shape)
        return concept.weight * cells(part, site.grid).flatten(1).repeat(1, site.frames)[..., None].to(q.device)
