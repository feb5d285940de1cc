"""Add or remove concepts while sampling."""

from __future__ import annotations

from comfy_api.latest import io
from torch import Tensor

from ..patches.run.against import AGAINST
from ..patches.run.concepts import WAYS, Concept, add_concept
from ..patches.run.window import Window
from ..patches.semantic import OUTSIDE, SemanticSettings, guide
from ..sampling.semantic import MASKS, NORMALISE, Momentum
from .inputs.masks import split_lines
from .inputs.node import Node
from .inputs.shared import CATEGORY, LM_MAPS, found_by, number, window

MENU = f"{CATEGORY}/concepts"
LM_CONCEPTS = io.Custom("LM_CONCEPTS")


class EditConcept(Node):
    """One concept to add or remove."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_EditConcept",
            display_name="Edit Concept",
            category=MENU,
            description="A text to add to a picture or take out of it, with its strength, its time and its place; "
            "chain up to 16 of them into Semantic Guidance.",
            search_aliases=found_by(
                "sega, edit prompt, concept slider, add concept, remove concept, remove object, add object, "
                "negative concept, replace object, swap object"
            ),
            inputs=[
                io.Conditioning.Input("conditioning", tooltip="The concept's text, encoded like the prompt."),
                io.Combo.Input(
                    "direction",
                    options=["add", "remove"],
                    default="add",
                    tooltip="add: towards the concept. remove: away from it.",
                ),
                number("scale", 5.0, 0.0, 50.0, "How strongly, 0..50; 3 to 20 is usual. Neutral: 0.", advanced=False),
                number(
                    "threshold",
                    0.0,
                    0.0,
                    1.0,
                    "0..1 of the pixels that are left alone: near 1 a detail, 0 the whole picture. Source: 0.9. "
                    "Neutral: 1, almost.",
                    advanced=False,
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Where the edit may act, 1 = fully. One, or one per picture. Neutral: not connected.",
                ),
                LM_CONCEPTS.Input(
                    "concepts", optional=True, tooltip="Concepts before this one. Neutral: not connected."
                ),
                *_times(),
                number("weight", 1.0, 0.0, 10.0, "Share beside other concepts, 0..10. Neutral: 0 is off, 1 is plain."),
                io.Combo.Input(
                    "how",
                    options=list(WAYS),
                    default=WAYS[0],
                    advanced=True,
                    tooltip="guidance: by a model row of its own. attention: inside the model's attention to its "
                    "text, at no row, at CFG 1 too; scale 5 is the concept once, threshold and the settings of "
                    "Semantic Guidance do not apply.",
                ),
            ],
            outputs=[LM_CONCEPTS.Output(display_name="concepts", tooltip="All concepts so far.")],
        )

    @classmethod
    def execute(
        cls,
        conditioning: list,
        direction: str,
        scale: float,
        threshold: float,
        start_percent: float,
        end_percent: float,
        weight: float,
        how: str = WAYS[0],
        mask: Tensor | None = None,
        concepts: tuple[Concept, ...] = (),
    ) -> io.NodeOutput:
        between = Window(start_percent, end_percent)
        concept = Concept(conditioning, direction == "remove", scale, between, threshold, weight, mask, how)
        return io.NodeOutput(add_concept(concepts, concept))


class SemanticGuidance(Node):
    """SEGA, with LEDITS++ masks, for any sampler."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_SemanticGuidance",
            display_name="Add or Remove Concepts (Semantic Guidance)",
            category=MENU,
            description="Adds or removes concepts without changing the rest: at every step it moves only those pixels "
            "of the prediction that a concept wants changed most. Any model, sampler and guider.",
            search_aliases=found_by(
                "sega, semantic guidance, ledits, concept edit, add or remove, edit guidance, remove object, "
                "add object, edit image"
            ),
            inputs=[
                io.Model.Input("model", tooltip="The model to patch; the one that goes in stays as it is."),
                LM_CONCEPTS.Input("concepts", tooltip="From Edit Concept. Neutral: scale 0 in all of them."),
                io.Combo.Input(
                    "mask_mode",
                    options=list(MASKS),
                    default=MASKS[0],
                    tooltip="Which pixels a concept edits. sega: the largest of each channel. joint: of all channels "
                    "together. ledits: those that also look at the concept's words (Track Phrases). none: all.",
                ),
                io.String.Input(
                    "keep",
                    default="",
                    multiline=True,
                    tooltip="Words of the prompt that no concept may touch, one phrase per line ('dog'): their place "
                    "is looked ahead for when the first concept begins, which may then be earlier (start_percent 0.15) "
                    "than without. Needs Track Phrases. Neutral: empty.",
                ),
                *_momentum(),
                *_together(),
                io.Combo.Input(
                    "against",
                    options=list(AGAINST),
                    default=AGAINST[0],
                    advanced=True,
                    tooltip="What a concept is compared with. empty: the negative prompt, as published; right for a "
                    "word alone. prompt: the sampled prompt; right for the prompt written anew. auto: prompt, where "
                    "Track Phrases shows that the concept repeats half of the prompt's words; else empty.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    tooltip="The model, for a sampler. At CFG 1 edits act against the positive prediction."
                ),
                LM_MAPS.Output(
                    display_name="maps", tooltip="What was edited where; for Edit Maps to Image, Save Guidance."
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        model: object,
        concepts: tuple[Concept, ...],
        mask_mode: str,
        keep: str,
        momentum_scale: float,
        momentum_beta: float,
        outside_window: str,
        normalise: str,
        rescale_phi: float,
        orthogonal: bool,
        against: str,
    ) -> io.NodeOutput:
        momentum = Momentum(momentum_scale, momentum_beta)
        phrases = split_lines(keep)
        how = (normalise, outside_window, rescale_phi, orthogonal, against)
        settings = SemanticSettings(momentum, mask_mode, *how, phrases)
        return io.NodeOutput(*guide(model, concepts, settings))


def _times() -> list:
    start, end = window(0.2, 1.0)
    start.tooltip += (
        " The papers' warm-up of 10 of 50 steps is 0.2 on simple and normal schedules, 0.16 on karras, 0.12 on beta: "
        "later keeps more of the composition."
    )
    end.tooltip += " The papers' cool-down."
    return [start, end]


def _momentum() -> list:
    return [
        number("momentum_scale", 0.1, 0.0, 1.0, "How much past edits push on, 0..1. Neutral: 0."),
        number("momentum_beta", 0.4, 0.0, 0.99, "How long past edits are remembered, 0..0.99. Neutral: 0."),
        io.Combo.Input(
            "outside_window",
            options=list(OUTSIDE),
            default=OUTSIDE[0],
            advanced=True,
            tooltip="off: outside its window a concept costs nothing, and momentum ends with the last of them. source: "
            "it runs during its warm-up and feeds the momentum, which goes on after the cool-down.",
        ),
    ]


def _together() -> list:
    return [
        io.Combo.Input(
            "normalise",
            options=list(NORMALISE),
            default=NORMALISE[0],
            advanced=True,
            tooltip="Divide several concepts by the sum of their weights: source (only while some still warm up), "
            "always, or never. With one concept of weight 1 all are the same.",
        ),
        number(
            "rescale_phi", 0.0, 0.0, 1.0, "Brings the contrast back to the unedited prediction's, 0..1. Neutral: 0."
        ),
        io.Boolean.Input(
            "orthogonal",
            default=False,
            advanced=True,
            tooltip="Leave out the part of the edit that only strengthens or weakens the prompt. Neutral: off.",
        ),
    ]


NODES = [EditConcept, SemanticGuidance]
