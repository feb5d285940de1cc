"""SemanticGuidance: adds or removes concepts in the noise prediction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ..sampling.semantic import Momentum, Part, across, combine, rescale
from .edit_masks import EditMasks
from .models.reach import has_unet, sites_of
from .run.against import base_of, rewrites
from .run.concept_keys import ConceptKeys
from .run.concept_tokens import ConceptTokens
from .run.concepts import Concept, concept_rows
from .run.edited import edits_of, unacted, unedited
from .run.inside import check_inside
from .run.maps import Maps
from .run.rows import table
from .run.run import Effect, Run, attach
from .run.sizes import check_kept
from .run.window import Window

OUTSIDE = ("off", "source")


@dataclass(frozen=True)
class SemanticSettings:
    """How the edits of all concepts come together."""

    momentum: Momentum = field(default_factory=Momentum)
    mask: str = "sega"
    normalise: str = "source"
    outside: str = "off"
    """source: concepts run during their warm-up and feed the momentum, which goes on after their cool-down."""
    phi: float = 0.0
    orthogonal: bool = False
    against: str = "empty"
    """What a concept's prediction is compared with. prompt: the sampled one; auto: that, where the text rewrites it."""
    keep: tuple[str, ...] = ()
    """Phrases of the prompt whose place no concept may edit, read from the attention until the first one acts."""


def guide(model: ModelPatcher, concepts: tuple[Concept, ...], settings: SemanticSettings) -> tuple[ModelPatcher, Maps]:
    """A clone that edits every prediction by the concepts, and a handle on what it edited.

    Source 002: SEGA (arXiv:2301.12247) and LEDITS++ (arXiv:2311.16711) masks. ValueError: masks of kind 'ledits' need
    attention that can be reached, and so do concepts that act by attention.
    """
    concepts, maps = tuple(replace(concept, number=i) for i, concept in enumerate(concepts)), Maps()
    inside = tuple(concept for concept in concepts if concept.inside)
    rows = any(concept.by_rows for concept in concepts)
    if inside:
        check_inside(model)
        unused = not rows and settings not in (SemanticSettings(), SemanticSettings(against="auto"))
        kind = ConceptKeys if has_unet(model) else ConceptTokens
        model = attach(model, lambda: kind(inside, unused))
    if not rows:
        return unedited(model, concepts, maps), maps
    if settings.mask == "ledits" or settings.keep:
        sites_of(model)
    return attach(model, lambda: Semantic(concepts, settings, maps)), maps


class Semantic(Effect):
    """One run of SemanticGuidance."""

    node = "Semantic Guidance"

    def __init__(self, concepts: tuple[Concept, ...], settings: SemanticSettings, maps: Maps) -> None:
        self.given, self.settings, self.maps = concepts, settings, maps
        self.concepts = [concept for concept in concepts if concept.by_rows]
        self.names = [f"lm_concept_{id(self)}_{i}" for i in range(len(self.concepts))]
        self.rows: list[list[dict]] = []
        self.rewritten: list[bool] = []
        """Of each concept, whether it is measured against the prompt."""
        self.where = EditMasks(settings.mask, settings.keep, self.concepts, self.names, self.node)
        self.nu: Tensor | float = 0.0
        self.following: Tensor | float = 0.0
        self.index, self.fresh = -1, False
        self.areas = [0.0] * len(self.concepts)
        self.counts = [0] * len(self.concepts)
        self.edits: list[tuple[float, Tensor]] = []
        self.ran: set[int] = set()
        """Numbers of the concepts that were computed in some step."""

    def start(self, run: Run) -> None:
        if "context_handler" in run.guider.model_options:
            raise ValueError("It cannot work in context windows; remove the context window node.")
        self.where.start(run)

    def prepare(self, run: Run) -> None:
        if len(run.noise_shape) < 4:
            raise ValueError("It edits pictures and videos, not sound or shapes; leave it out here.")
        given = {name: run.given[name] for name in ("latent_image", "denoise_mask", "seed")}
        self.rows = [concept_rows(run, concept, run.given["noise"], **given) for concept in self.concepts]
        entries = table(dict(zip(self.names, self.rows, strict=True)))
        run.appended |= entries
        self.rewritten = [self._against_prompt(name, run) for name in self.names]
        self.where.prepare(run, entries)

    def append(self, run: Run) -> dict[str, list[dict]]:
        needed = (i for i, concept in enumerate(self.concepts) if self._runs(concept, run))
        return {self.names[i]: self.rows[i] for i in needed}

    def step(self, run: Run) -> None:
        self.where.step(run)

    def guide(self, run: Run, x: Tensor, denoised: Tensor) -> Tensor:
        check_kept(tuple(x.shape), run.noise_shape)
        base = base_of(run, prompt=False)
        able = [i for i, concept in enumerate(self.concepts) if not concept.never]
        ended = all(self._cooled(self.concepts[i], run) for i in able)
        if base is None or (ended and self.settings.outside == "off"):
            return denoised
        self._advance(run)
        ratio = run.ratio
        parts = [self._part(i, run, ratio) for i in able]
        edit, following = combine(parts, self.nu, self.settings.momentum, self.settings.normalise)
        if self.fresh:
            self.following = following
        if not torch.is_tensor(edit):
            return denoised
        positive = run.predictions.get("positive", base)
        if self.settings.orthogonal and base is not positive:
            edit = across(edit, base - positive)
        if self.settings.phi:
            edit = (denoised - rescale(denoised - ratio * edit, denoised, self.settings.phi)) / ratio
        if self.fresh:
            self.edits.append((run.sigma, edit.cpu()))
        return denoised - ratio * edit

    def finish(self, run: Run, samples: Tensor) -> None:
        shares = iter(total / count if count else None for total, count in zip(self.areas, self.counts, strict=True))
        areas = [next(shares) if concept.by_rows else None for concept in self.given]
        self.maps.add(edits_of(self.given, areas, self.edits, run.pixels, samples))

    def idle(self, run: Run) -> str:
        return " ".join(filter(None, [*unacted(self.concepts, self.ran), self.where.idle(run)]))

    def _advance(self, run: Run) -> None:
        """Momentum moves on once per step of the schedule, whatever the solver asks in between."""
        index = sum(sigma >= run.sigma * (1 - 1e-4) for sigma in run.sigmas) - 1  # of the last one reached
        self.fresh = index > self.index
        if self.fresh:
            self.index, self.nu = index, self.following

    def _runs(self, concept: Concept, run: Run) -> bool:
        if concept.never:
            return False
        if self.settings.outside == "source":
            return not self._cooled(concept, run)
        return concept.window.contains(run.sigma, run.sampling)

    def _cooled(self, concept: Concept, run: Run) -> bool:
        return not Window(0.0, concept.window.end).contains(run.sigma, run.sampling)

    def _against_prompt(self, name: str, run: Run) -> bool:
        if self.settings.against != "auto":
            return self.settings.against == "prompt"
        concept = next((entry.tag for entry in run.appended.values() if entry.name == name), None)
        return rewrites(concept, [entry.tag for entry in run.table.values() if entry.name == "positive"])

    def _part(self, i: int, run: Run, ratio: float) -> Part:
        concept = self.concepts[i]
        warm = Window(concept.window.start, 1.0).contains(run.sigma, run.sampling)
        if self.names[i] not in run.predictions:
            return Part(None, concept.weight, warm, self._cooled(concept, run))
        self.ran.add(i)
        base = base_of(run, self.rewritten[i])
        psi = (base - run.predictions[self.names[i]]) * ((-concept.scale if concept.remove else concept.scale) / ratio)
        mask = self.where.of(i, psi)
        if warm and self.fresh:
            area = mask.float().mean(1, keepdim=True) if torch.is_tensor(mask) else torch.ones_like(psi[:, :1])
            self.areas[i], self.counts[i] = self.areas[i] + area, self.counts[i] + 1
        return Part(psi * mask, concept.weight, warm)
