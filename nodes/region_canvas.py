"""RegionCanvas: regions drawn in the node itself."""

from __future__ import annotations

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..attention.regions import Region
from ..patches.run.latents import pixels_per_cell, video_part
from ..patches.run.words import check_phrases
from .drawing.parse import read_drawing
from .drawing.raster import masked
from .drawing.report import caption, covered
from .inputs.node import Node
from .inputs.shared import CATEGORY, LM_REGIONS, chain, found_by
from .pictures.overlay import GREY, legend, paint, region_colours
from .region_preview import masks_of, rgb, uncovered

EMPTY = '{"regions": []}'
PICTURE = "lm_picture"  # what the canvas in the browser reads to draw on


class RegionCanvas(Node):
    """A drawing as regions, masks and a picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_RegionCanvas",
            display_name="Region Canvas",
            category=f"{CATEGORY}/regions",
            description="Draw a box, say which words of the prompt belong there, and connect regions to Region "
            "Attention.",
            search_aliases=found_by(
                "draw regions, regional prompting, bounding box, paint regions, gligen, layout, mask editor, "
                "draw boxes, regional prompter, area composition"
            ),
            inputs=[
                io.String.Input(
                    "drawing",
                    default=EMPTY,
                    extra_dict={"widgetType": "LM_REGION_CANVAS"},
                    tooltip="The drawing, as JSON; the help page says how to write it by hand. Neutral: no regions.",
                ),
                *_size(),
                *_optional(),
            ],
            outputs=[
                LM_REGIONS.Output(display_name="regions", tooltip="The regions so far, and the drawn ones."),
                io.Mask.Output(
                    display_name="masks",
                    tooltip="One mask per drawn region, in order, in the picture's size; black if none is drawn.",
                ),
                io.Image.Output(
                    display_name="preview", tooltip="All regions with a legend, over the image if one is connected."
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        drawing: str,
        width: int,
        height: int,
        image: Tensor | None = None,
        latent: dict | None = None,
        conditioning: list | None = None,
        regions: tuple[Region, ...] = (),
    ) -> io.NodeOutput:
        size = picture_size(image, latent, (height, width))
        made, masks = masked(read_drawing(drawing), *size)
        if conditioning is not None:
            check_phrases(made, conditioning)
        everything = (*regions, *made)
        base = torch.full((*size, 3), GREY) if image is None else rgb(image[:1])[0]
        shown = None if image is None else {PICTURE: ui.PreviewImage(base[None], cls=cls).as_dict()["images"]}
        return io.NodeOutput(everything, masks, overview(everything, base)[None], ui=shown)


def picture_size(image: Tensor | None, latent: dict | None, otherwise: tuple[int, int]) -> tuple[int, int]:
    """(height, width) in pixels: the image's, else those that the latent decodes to."""
    if image is not None:
        return tuple(image.shape[1:3])
    if latent is None:
        return otherwise
    samples, ratio = video_part(latent["samples"]), pixels_per_cell(latent)
    return samples.shape[-2] * ratio, samples.shape[-1] * ratio


def overview(regions: tuple[Region, ...], base: Tensor) -> Tensor:
    """Regions over one picture (H, W, 3), with a legend if there are any; of masks per picture, the first."""
    if not regions:
        return base
    masks = masks_of(regions, 0, tuple(base.shape[:2]))
    colours = region_colours([region.colour for region in regions])
    shares, none, _ = covered(masks)
    texts = [caption(region, share) for region, share in zip(regions, shares, strict=True)]
    picture = paint(masks, colours, base)
    return torch.cat([picture, legend(texts, colours, uncovered(none), picture.shape[1])])


def _size() -> list:
    tip = "of the picture in pixels, 16..16384, where neither image nor latent is connected. No neutral value."
    return [
        io.Int.Input(name, default=1024, min=16, max=16384, step=8, tooltip=f"{name.capitalize()} {tip}")
        for name in ("width", "height")
    ]


def _optional() -> list:
    return [
        io.Image.Input(
            "image",
            optional=True,
            tooltip="A picture to draw on (after a run; that of Load Image at once); the masks take its size. Neutral: "
            "not connected.",
        ),
        io.Latent.Input(
            "latent",
            optional=True,
            tooltip="The latent that is going to be sampled: the masks take the size of its picture. Neutral: not "
            "connected.",
        ),
        io.Conditioning.Input(
            "conditioning",
            optional=True,
            tooltip="The prompt, encoded behind Track Phrases: the drawn phrases are then looked for at once. Neutral: "
            "not connected.",
        ),
        chain(),
    ]


NODES = [RegionCanvas]
