"""Edit concepts that act in a U-Net's cross-attention, without rows of their own in the model's batch."""

from __future__ import annotations

from collections.abc import Callable

from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from torch import Tensor

from .concepts import Concept, concept_rows
from .edited import unacted
from .effect import Effect
from .keys_call import KeysCall, Told
from .masks import check_count
from .run import Run

NEUTRAL = ("empty_negative_prompt", "negative", "middle")
"""Lists of guiders whose text concepts are measured against, the first that there is."""
UNUSED = (
    "All concepts act by attention, where mask_mode, keep, momentum, outside_window, normalise, rescale_phi, "
    "orthogonal and against have no effect."
)
UNSEEN = "The model's attention to its text was never met, as another node skips it, so no concept acted by attention."


def check_keys(model: ModelPatcher) -> None:
    """ValueError: the model has no cross-attention in which a concept can act."""
    network = model.get_model_object("diffusion_model")
    if not isinstance(network, UNetModel):
        raise ValueError(
            "A concept acts by attention in U-Nets alone (SD1, SD2, SDXL), but this model is of the kind "
            f"{type(network).__name__}; set how to guidance in Edit Concept."
        )


class ConceptKeys(Effect):
    """One run of the concepts of Semantic Guidance that act by attention."""

    node = "Semantic Guidance"

    def __init__(self, concepts: tuple[Concept, ...], unused: bool) -> None:
        """unused: whether Semantic Guidance was given settings that only concepts with rows know."""
        self.concepts, self.unused = concepts, unused
        self.whole = any(concept.mask is not None for concept in concepts)
        self.texts: list[Tensor] = []
        self.neutral: Tensor | None = None
        self.acting: list[int] = []
        self.ran: set[int] = set()
        self.met = False
        self.run: Run | None = None

    def start(self, run: Run) -> None:
        """The wrapper lies below the ones of APPLY_MODEL, so that what other effects place there is known to it."""
        self.run = run
        add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, f"lm_keys_{id(self)}", self._network, run.options)

    def prepare(self, run: Run) -> None:
        given = {name: run.given[name] for name in ("latent_image", "denoise_mask", "seed")}
        conds = run.guider.conds
        self.texts = [_text(concept_rows(run, c, run.given["noise"], **given)) for c in self.concepts]
        self.neutral = next((_text(conds[name]) for name in NEUTRAL if conds.get(name)), None)
        if self.neutral is None and any(concept.remove for concept in self.concepts):
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

    def step(self, run: Run) -> None:
        inside = [i for i, concept in enumerate(self.concepts) if concept.window.contains(run.sigma, run.sampling)]
        self.acting = [i for i in inside if not self.concepts[i].dark]
        self.ran.update(self.acting)

    def idle(self, run: Run) -> str:
        says = unacted(self.concepts, self.ran)
        says += [UNSEEN] if self.ran and not self.met else []
        says += [UNUSED] if self.unused else []
        return " ".join(says)

    def _network(
        self,
        executor: Callable,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor,
        y: object,
        control: object,
        options: dict,
        **kwargs: object,
    ) -> Tensor:
        """Of the U-Net; prompts that are not negative get the concepts, rows of other concepts do not."""
        entries = self.run.chunks(options) if self.acting and "uuids" in options else []
        own = {i: e for i, e in enumerate(entries) if e is not None and e.key in self.run.table and not e.negative}
        if not own:
            return executor(x, timesteps, context, y, control, options, **kwargs)
        told = Told([self.concepts[i] for i in self.acting], [self.texts[i] for i in self.acting], self.neutral)
        call = KeysCall(told, own, len(entries), context, self.run.noise_shape, self.node)
        out = executor(x, timesteps, context, y, control, call.placed(options), **kwargs)
        self.met |= call.met
        return out


def _text(rows: list[dict]) -> Tensor:
    """(b, n, C) as the model gets it."""
    return rows[0]["model_conds"]["c_crossattn"].cond
