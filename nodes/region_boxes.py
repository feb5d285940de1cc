"""RegionsFromBoxes: boxes of other nodes as regions."""

from __future__ import annotations

from comfy_api.latest import io

from ..attention.regions import Region
from .drawing.boxes import CORNERS, SIDES, as_regions, read_boxes
from .drawing.raster import masked
from .drawing.table import FORM, read_table
from .inputs.node import Node
from .inputs.shared import CATEGORY, LM_REGIONS, chain, found_by
from .inputs.weights import FOCUS, OUTSIDE, STRENGTH, weights

BOXES = [io.Custom(kind) for kind in ("BOUNDING_BOX", "BOUNDING_BOXES", "BBOX", "ARRAY")]


class RegionsFromBoxes(Node):
    """A region per box."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_RegionsFromBoxes",
            display_name="Regions from Boxes",
            category=f"{CATEGORY}/regions",
            description="Makes a region of each bounding box of another node: drawn ones, or found ones.",
            search_aliases=found_by("bounding box, bbox, boxes to regions, detection, sam3, regional prompting"),
            inputs=_inputs(),
            outputs=[
                LM_REGIONS.Output(display_name="regions", tooltip="The regions so far, and one per box."),
                io.Mask.Output(
                    display_name="masks", tooltip="One mask per box, in order; a black one if there is no box."
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        boxes: object,
        width: int,
        height: int,
        phrases: str = "",
        strength: float = STRENGTH,
        outside: float = OUTSIDE,
        focus: float = FOCUS,
        lists: str = CORNERS,
        regions: tuple[Region, ...] = (),
    ) -> io.NodeOutput:
        lines = read_table(phrases, strength, outside) if phrases.strip() else []
        drawn = as_regions(read_boxes(boxes, (width, height), lists), lines, strength, outside, focus)
        made, masks = masked(drawn, height, width)
        return io.NodeOutput((*regions, *made), masks)


def _inputs() -> list:
    return [
        io.MultiType.Input(
            "boxes",
            BOXES,
            tooltip="Boxes in pixels: of Create Bounding Boxes (its elements bring their words), of SAM3 Detect and "
            "other detectors, or of other packs. No box: no region.",
        ),
        io.String.Input(
            "phrases",
            default="",
            multiline=True,
            tooltip=f"A line per box, in order: {FORM}. Boxes without a line keep their own words. Neutral: empty.",
        ),
        *(
            io.Int.Input(
                name,
                default=1024,
                min=16,
                max=16384,
                step=8,
                tooltip=f"{name.capitalize()} in pixels of the picture that the boxes are of, 16..16384. Not neutral.",
            )
            for name in ("width", "height")
        ),
        *weights(" For lines that do not say.", advanced=True),
        io.Combo.Input(
            "lists",
            options=[CORNERS, SIDES],
            default=CORNERS,
            advanced=True,
            tooltip="What the four numbers of a box are that is a bare list; boxes that name theirs do not ask.",
        ),
        chain(),
    ]


NODES = [RegionsFromBoxes]
