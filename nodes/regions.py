"""Nodes that make regions: a phrase of the prompt and the part of the picture where it belongs."""

from __future__ import annotations

from comfy_api.latest import io
from torch import Tensor

from ..attention.regions import Region
from .drawing.color_map import color_masks
from .drawing.masks import one_per_line, placed, spoken
from .drawing.table import FORM, read_colour, read_table
from .inputs.node import Node
from .inputs.shared import CATEGORY, LM_REGIONS, chain, found_by
from .inputs.weights import weights

_TABLE = (
    f"A line per phrase: {FORM}. Only the phrase must be there; blank lines and those that start with // do not count."
)


class PhraseRegion(Node):
    """One phrase and its mask."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_PhraseRegion",
            display_name="Phrase Region",
            category=f"{CATEGORY}/regions",
            description="Says where a phrase of the prompt belongs: under a mask, or where the model itself looks "
            "for it. Chain several, and connect the last to Region Attention.",
            search_aliases=found_by(
                "regional prompt, area, attention couple, spatial control, paint with words, regional "
                "prompting, regional prompter, gligen"
            ),
            inputs=[
                io.String.Input(
                    "phrase", default="", tooltip="Words as in the prompt, in any case. Must not be empty."
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Where the phrase belongs: any size, soft edges count, 1 = inside. One mask for every "
                    "picture, or one per picture of the batch. A black mask does nothing, but with outside above 0 "
                    "it pushes the phrase out of the whole picture. Not connected: where the model looks at the "
                    "phrase in the first steps, found while sampling and held; several such phrases keep apart.",
                ),
                *weights(""),
                io.Int.Input(
                    "occurrence",
                    default=0,
                    min=0,
                    max=64,
                    advanced=True,
                    tooltip="Which place of the prompt, 1..64, if the phrase stands in it more than once. "
                    "Neutral: 0, all of them.",
                ),
                chain(),
            ],
            outputs=[LM_REGIONS.Output(display_name="regions", tooltip="The regions so far, and this one.")],
        )

    @classmethod
    def execute(
        cls,
        phrase: str,
        strength: float,
        outside: float,
        focus: float,
        mask: Tensor | None = None,
        occurrence: int = 0,
        regions: tuple = (),
    ) -> io.NodeOutput:
        if mask is None and occurrence:
            raise ValueError(
                f"occurrence is {occurrence}, but a phrase without a mask is looked for in all its places; set it to "
                "0, or connect a mask."
            )
        return io.NodeOutput((*regions, Region(spoken(phrase), mask, strength, outside, occurrence, focus=focus)))


class RegionsFromMasks(Node):
    """A batch of masks and a line for each."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_RegionsFromMasks",
            display_name="Regions from Masks",
            category=f"{CATEGORY}/regions",
            description="Gives each mask of a batch its phrase: the first line is for the first mask.",
            search_aliases=found_by(
                "regional prompt, mask list, segments, region table, multiple masks, regional prompting, "
                "segment to region"
            ),
            inputs=[
                io.Mask.Input("masks", tooltip="As many masks as lines, as one batch; soft edges count, 1 = inside."),
                _table("The colour is for previews."),
                *weights(" For lines that do not say."),
                chain(),
            ],
            outputs=[LM_REGIONS.Output(display_name="regions", tooltip="The regions so far, and one per line.")],
        )

    @classmethod
    def execute(
        cls, masks: Tensor, phrases: str, strength: float, outside: float, focus: float, regions: tuple = ()
    ) -> io.NodeOutput:
        lines = read_table(phrases, strength, outside)
        return io.NodeOutput((*regions, *placed(lines, one_per_line(masks, lines), focus)))


class RegionsFromColorMap(Node):
    """A painted picture and a line for each colour."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_RegionsFromColorMap",
            display_name="Regions from Color Map",
            category=f"{CATEGORY}/regions",
            description="Paint where things belong, a colour for each: lines that name no colour take the largest "
            "ones in order.",
            search_aliases=found_by(
                "colour map, segmentation map, regional prompt, paint, color mask, spatext, regional prompting"
            ),
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="A picture painted in flat colours, of any size. Of a batch, each picture places the "
                    "phrases for its own picture of the latent batch.",
                ),
                _table("A line without a colour takes the largest one that is left, over 1 % of the picture."),
                *weights(" For lines that do not say."),
                io.String.Input(
                    "background",
                    default="#ffffff",
                    advanced=True,
                    tooltip="The colour, as #rrggbb, that a line gets only by naming it. Neutral: empty, none.",
                ),
                io.Int.Input(
                    "tolerance",
                    default=24,
                    min=0,
                    max=128,
                    advanced=True,
                    tooltip="How far red, green and blue may each be off, 0..128 of 255; 24 is enough for JPEG. "
                    "A pixel belongs to the nearest colour within it. Neutral: 0, exact colours.",
                ),
                chain(),
            ],
            outputs=[
                LM_REGIONS.Output(display_name="regions", tooltip="The regions so far, and one per line."),
                io.Mask.Output(
                    display_name="masks",
                    tooltip="This picture's masks in the order of the lines (of each line, one per picture).",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        phrases: str,
        strength: float,
        outside: float,
        focus: float,
        background: str = "#ffffff",
        tolerance: int = 24,
        regions: tuple = (),
    ) -> io.NodeOutput:
        lines = read_table(phrases, strength, outside)
        lines, masks = color_masks(image, lines, read_colour(background) if background.strip() else None, tolerance)
        return io.NodeOutput((*regions, *placed(lines, masks, focus)), masks.flatten(0, 1))


def _table(more: str) -> io.String.Input:
    return io.String.Input("phrases", default="", multiline=True, tooltip=f"{_TABLE} {more} Must not be empty.")


NODES = [PhraseRegion, RegionsFromMasks, RegionsFromColorMap]
