"""Edit concepts that act in the model's attention to its text, without rows of their own in the model's batch."""

from __future__ import annotations

from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ...attention.steered import Pull
from ..models.reach import unreached
from .concepts import Concept
from .edited import unacted
from .effect import Effect
from .masks import check_count
from .rows import Entry
from .run import Run

NEUTRAL = ("empty_negative_prompt", "negative", "middle")
"""Lists of guiders whose text concepts are measured against, the first that there is."""
UNIT = 5.0
"""The scale of strength 1: what is added is the concept itself, what is removed goes wholly."""
UNUSED = (
    "All concepts act by attention, where mask_mode, keep, momentum, outside_window, normalise, rescale_phi, "
    "orthogonal and against have no effect."
)
UNSEEN = "The model's attention to its text was never met, as another node skips it, so no concept acted by attention."


def check_inside(model: ModelPatcher) -> None:
    """ValueError: the model's attention to its text cannot be reached."""
    if why := unreached(model):
        kind = type(model.get_model_object("diffusion_model")).__name__
        raise ValueError(
            f"A concept cannot act by attention in a model of the kind {kind}: {why}; set how to guidance in Edit "
            "Concept."
        )


class Inside(Effect):
    """One run of the concepts of Semantic Guidance that act by attention."""

    node = "Semantic Guidance"

    def __init__(self, concepts: tuple[Concept, ...], unused: bool) -> None:
        """unused: whether Semantic Guidance was given settings that only concepts with rows know."""
        self.concepts, self.unused = concepts, unused
        self.whole = any(concept.mask is not None for concept in concepts)
        self.acting: list[int] = []
        self.ran: set[int] = set()
        self.met = False
        self.run: Run | None = None

    def prepare(self, run: Run) -> None:
        if self.against() is None and any(concept.remove for concept in self.concepts):
            raise ValueError(
                "To remove a concept by attention it is measured against the negative prompt, but this guider has "
                "none; use one that has (its CFG may be 1), or set how to guidance in Edit Concept."
            )
        windows = "context_handler" in run.guider.model_options
        for mask in (concept.mask for concept in self.concepts if concept.mask is not None):
            check_count(mask, run.noise_shape[0], "The mask of a concept")
            if windows and len(mask) > 1:
                raise ValueError(
                    f"The mask of a concept holds {len(mask)} pictures, which context windows cut apart; use one mask "
                    "for all of them, or remove the context window node."
                )

    def against(self) -> dict | None:
        """The processed entry with the text that concepts are measured against; None: the guider has none."""
        conds = self.run.guider.conds
        return next((conds[name][0] for name in NEUTRAL if conds.get(name)), None)

    def step(self, run: Run) -> None:
        inside = [i for i, concept in enumerate(self.concepts) if concept.window.contains(run.sigma, run.sampling)]
        self.acting = [i for i in inside if not self.concepts[i].dark]
        self.ran.update(self.acting)

    def idle(self, run: Run) -> str:
        says = unacted(self.concepts, self.ran)
        says += [UNSEEN] if self.ran and not self.met else []
        says += [UNUSED] if self.unused else []
        return " ".join(says)

    def owns(self, entry: Entry | None) -> bool:
        """Whether concepts act in a chunk: in prompts that are not negative, and not in steps that are looked ahead."""
        known = entry is not None and entry.key in self.run.table
        return known and not entry.negative and self in self.run.effects


def pull_of(concept: Concept, seen: Tensor, neutral: Tensor | None, share: Tensor | float) -> Pull:
    """What a concept does in one call, (b, Q, C) each; share: as of `Pull`."""
    return Pull(seen, neutral, concept.scale / UNIT, concept.remove, share)
