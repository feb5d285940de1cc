"""Edit concepts that act in a U-Net's cross-attention, without rows of their own in the model's batch."""

from __future__ import annotations

from collections.abc import Callable

from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from torch import Tensor

from .concepts import Concept, concept_rows
from .inside import Inside
from .keys_call import KeysCall, Told
from .run import Run


class ConceptKeys(Inside):
    """Has their texts projected by the model's own layers, behind the prompt's."""

    def __init__(self, concepts: tuple[Concept, ...], unused: bool) -> None:
        super().__init__(concepts, unused)
        self.texts: list[Tensor] = []
        self.neutral: Tensor | None = None

    def start(self, run: Run) -> None:
        """The wrapper lies below the ones of APPLY_MODEL, so that what other effects place there is known to it."""
        self.run = run
        add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, f"lm_keys_{id(self)}", self._network, run.options)

    def prepare(self, run: Run) -> None:
        super().prepare(run)
        given = {name: run.given[name] for name in ("latent_image", "denoise_mask", "seed")}
        self.texts = [_text(concept_rows(run, c, run.given["noise"], **given)) for c in self.concepts]
        against = self.against()
        self.neutral = against and _text([against])

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
        own = {i: entry for i, entry in enumerate(entries) if self.owns(entry)}
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
