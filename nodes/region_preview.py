"""RegionPreview: what the regions are, before anything is sampled."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from comfy_api.latest import io, ui
from torch import Tensor

from ..attention.quote import short
from ..attention.regions import Region
from ..patches.run.latents import pixels_per_cell, video_part
from .drawing.report import caption, covered, describe, numbered
from .inputs.node import Node
from .inputs.shared import CATEGORY, LM_REGIONS, found_by
from .pictures.overlay import GREY, legend, paint, region_colours, rgb


class RegionPreview(Node):
    """Regions over the picture, and a report."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_RegionPreview",
            display_name="Region Preview",
            category=f"{CATEGORY}/regions",
            description="Shows which phrase goes where, what no region covers, and whether each region is large "
            "enough for the model's attention. Samples nothing.",
            search_aliases=found_by("preview regions, overlay, mask overlay, show regions, debug regions"),
            is_output_node=True,
            inputs=[
                LM_REGIONS.Input("regions", tooltip="The regions to show."),
                io.Latent.Input("latent", tooltip="The latent that is going to be sampled: its size and batch count."),
                io.Conditioning.Input(
                    "conditioning",
                    optional=True,
                    tooltip="The prompt, encoded behind Track Phrases: the report then says which tokens each phrase "
                    "is. Neutral: not connected.",
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="A picture to draw on, in whose size the preview comes out. Neutral: not connected, grey.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    tooltip="Regions with a legend, enlarged to 256 pixels if narrower; one picture, or one per "
                    "picture of the batch if masks differ between them. Hatched: no region."
                ),
                io.String.Output(display_name="report", tooltip="Tokens, coverage, attention cells and warnings."),
            ],
        )

    @classmethod
    def execute(
        cls, regions: tuple[Region, ...], latent: dict, conditioning: list | None = None, image: Tensor | None = None
    ) -> io.NodeOutput:
        picture, report = preview(regions, latent, conditioning, image)
        shown = {**ui.PreviewImage(picture, cls=cls).as_dict(), "text": (report,)}
        return io.NodeOutput(picture, report, ui=shown)


def preview(
    regions: tuple[Region, ...], latent: dict, conditioning: list | None = None, image: Tensor | None = None
) -> tuple[Tensor, str]:
    """The overlay (B, H, W, 3) with its legend, B = 1 where no region has masks per picture; and the report."""
    samples, ratio = video_part(latent["samples"]), pixels_per_cell(latent)
    batch, (h, w) = len(samples), samples.shape[-2:]
    _check(regions, batch)
    base = torch.full((1, h * ratio, w * ratio, 3), GREY) if image is None else rgb(image)
    if not regions:
        return base, "There is no region, so no phrase is placed."
    drawn = [region.mask for region in regions if region.mask is not None]
    count = max([1, *map(len, drawn)])
    stacks = [masks_of(regions, i, base.shape[1:3]) for i in range(count)]
    shares, none, several = _means([covered(masks) for masks in stacks])
    colours = region_colours([region.colour for region in regions])
    pictures = [paint(masks, colours, base[i % len(base)]) for i, masks in enumerate(stacks)]
    texts = [caption(region, share) for region, share in zip(regions, shares, strict=True)]
    strip = legend(texts, colours, uncovered(none) if drawn else "", pictures[0].shape[1])
    size = f"Latent {w} x {h}, batch of {batch}; preview of {base.shape[2]} x {base.shape[1]} pixels."
    about = [describe(region, share, (h, w), conditioning) for region, share in zip(regions, shares, strict=True)]
    report = [size, *numbered(about)]
    if drawn:
        report.append(f"In no region: {none:.1%}. In two or more: {several:.1%}.")
    return torch.stack([torch.cat([picture, strip]) for picture in pictures]), "\n".join(report)


def _check(regions: tuple[Region, ...], batch: int) -> None:
    for region in regions:
        if region.mask is not None and len(region.mask) not in (1, batch):
            raise ValueError(
                f"The mask of '{short(region.phrase)}' holds {len(region.mask)} pictures, but the latent {batch}; "
                "use one mask for all of them, or one for each."
            )


def masks_of(regions: tuple[Region, ...], item: int, size: tuple[int, int]) -> Tensor:
    """(regions, H, W) of one picture of the batch, in the preview's size; black where it is not known yet."""
    masks = [torch.zeros(1, *size) if region.mask is None else region.mask for region in regions]
    own = [mask[item % len(mask)].float().cpu()[None, None] for mask in masks]
    return torch.cat([F.interpolate(mask, size, mode="bilinear", antialias=True)[:, 0] for mask in own]).clamp(0, 1)


def uncovered(share: float) -> str:
    """A legend's last words."""
    return f"in no region: {share:.0%}" if share >= 0.005 else ""


def _means(items: list[tuple[list[float], float, float]]) -> tuple[list[float], float, float]:
    shares, none, several = zip(*items, strict=True)
    return [sum(own) / len(own) for own in zip(*shares, strict=True)], sum(none) / len(none), sum(several) / len(items)


NODES = [RegionPreview]
