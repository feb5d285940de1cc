"""Edit concepts, and their rows in the model's batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

import torch
from comfy.samplers import encode_model_conds
from torch import Tensor

from .run import Run
from .texts import TEXT
from .window import Window

MOST = 16
WAYS = ("guidance", "attention")
OWN = ("cross_attn", "model_conds", "uuid", "strength")
FOREIGN = ("area", "mask", "control", "hooks", "gligen", "start_percent", "end_percent", "reference_latents")


@dataclass(frozen=True)
class Concept:
    """Something to add or remove."""

    conditioning: list = field(repr=False)
    remove: bool = False
    scale: float = 5.0
    window: Window = Window(0.2, 1.0)
    threshold: float = 0.9
    """Fraction of the pixels left alone."""
    weight: float = 1.0
    mask: Tensor | None = field(default=None, repr=False)
    how: str = WAYS[0]
    """guidance: by a row of its own in the model's batch. attention: in the prompt's cross-attention."""
    number: int = 0
    """Its place among those given, from 0."""

    @property
    def inside(self) -> bool:
        """Whether it acts in the attention."""
        return not self.neutral and self.how == "attention"

    @property
    def by_rows(self) -> bool:
        """Whether it acts by a row of its own."""
        return not self.neutral and not self.inside

    @property
    def neutral(self) -> bool:
        """Whether it is set to change nothing."""
        return self.scale == 0 or self.weight <= 0

    @property
    def dark(self) -> bool:
        """Whether it may act nowhere."""
        return self.mask is not None and not self.mask.any()

    @property
    def never(self) -> bool:
        """Whether it can act in no step, or nowhere."""
        return self.dark or self.window.empty


def add_concept(concepts: tuple[Concept, ...], concept: Concept) -> tuple[Concept, ...]:
    """With one more; ValueError where its conditioning is more than a text, or there are too many."""
    if len(concepts) >= MOST:
        raise ValueError(f"Semantic Guidance takes {MOST} concepts at most; chain fewer Edit Concept nodes.")
    if len(concept.conditioning) != 1:
        raise ValueError(
            f"An edit concept must be one text, but its conditioning has {len(concept.conditioning)} entries; encode "
            "it with one text encode node, and chain one Edit Concept per text."
        )
    foreign = [name for name in FOREIGN if name in concept.conditioning[0][1]]
    if foreign:
        raise ValueError(
            f"An edit concept must be a plain text, but its conditioning brings its own {foreign[0]}; it inherits "
            f"those of the sampled prompt: use the MASK input, or start and end percent, of Edit Concept."
        )
    return (*concepts, concept)


def concept_rows(run: Run, concept: Concept, noise: Tensor, **given: object) -> list[dict]:
    """The sampled prompt's own entries with the concept's text in them, ready for the model.

    Entries that differ in their text alone become one, with the strength of all. given: latent_image, denoise_mask and
    seed, as the host encodes its own conditionings.
    """
    text, options = concept.conditioning[0]
    words = words_of(options)
    rows: dict[frozenset, dict] = {}
    for entry in run.guider.conds["positive"]:
        check_widths(concept, entry)
        kept = {name: value for name, value in entry.items() if name not in (*TEXT, *OWN)}
        row = rows.setdefault(frozenset((name, id(value)) for name, value in kept.items()), {"strength": 0.0})
        row |= {**kept, **words, "cross_attn": text, "strength": row["strength"] + entry.get("strength", 1.0)}
        row |= {"model_conds": {}, "uuid": uuid4()}
    encode = run.guider.inner_model.extra_conds
    given |= {"latent_shapes": run.latent_shapes}
    return encode_model_conds(encode, list(rows.values()), noise, noise.device, "positive", **given)


def words_of(options: dict) -> dict:
    """What belongs to the text among a conditioning's options."""
    return {name: options[name] for name in TEXT if name in options}


def check_widths(concept: Concept, entry: dict) -> None:
    """ValueError: the concept's text, or its pooled vector, is not of the sampled prompt's kind."""
    text, options = concept.conditioning[0]
    pairs = [(text, entry.get("cross_attn")), (options.get("pooled_output"), entry.get("pooled_output"))]
    for own, theirs in pairs:
        if torch.is_tensor(own) and torch.is_tensor(theirs) and own.shape[-1] != theirs.shape[-1]:
            raise ValueError(
                f"An edit concept was encoded by another model than the prompt (channels: {own.shape[-1]} and "
                f"{theirs.shape[-1]}); encode it with the CLIP of the model that samples."
            )
