"""What Semantic Guidance edited: as pictures, and as a file."""

from __future__ import annotations

import os

import torch
from comfy_api.latest import io, ui
from torch import Tensor
from torch.nn.functional import interpolate

from ..patches.replay import check_guidance, load_guidance, replay, save_guidance, stored_guidance
from ..patches.run.files import check_prefix, guidance_path
from ..patches.run.maps import Edits, Maps
from .concepts import MENU
from .inputs.node import Node, refusal
from .inputs.shared import LM_MAPS, Names, found_by
from .pictures.overlay import GREY, enlargement, legend, region_colours

FILE = io.Custom("STRING,COMBO")  # a text, which also fits a list of files
OPACITY = 0.85  # of a concept's colour where it edited most


class EditMapsToImage(Node):
    """Where each concept edited."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_EditMapsToImage",
            display_name="Edit Maps to Image",
            category=MENU,
            description="Where each concept edited over the whole run: a panel each, in its own colour, with a legend; "
            "and as masks.",
            search_aliases=found_by("edit mask, sega map, guidance map"),
            inputs=[
                LM_MAPS.Input("maps", tooltip="From Semantic Guidance."),
                io.Latent.Input(
                    "latent", tooltip="From the sampler that used its model: says which of its runs to show."
                ),
                io.Image.Input("image", optional=True, tooltip="A picture to draw on. Neutral: not connected, grey."),
            ],
            outputs=[
                io.Image.Output(
                    tooltip="One per picture of the batch. Full colour: where that concept edited most in any of them."
                ),
                io.Mask.Output(
                    tooltip="0..1 of the steps and channels; one per concept and picture, concept by concept."
                ),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def execute(cls, maps: Maps, latent: dict, image: Tensor | None = None) -> io.NodeOutput:
        edits = maps.fit(latent["samples"], Edits)
        size = tuple(side * edits.ratio for side in edits.maps.shape[-2:])
        size = size if image is None else tuple(image.shape[1:3])
        masks = interpolate(edits.maps, size=size, mode="bilinear", align_corners=False)  # (B, concepts, H, W)
        panels = _draw(masks, edits.names, image)
        return io.NodeOutput(panels, masks.transpose(0, 1).flatten(0, 1), ui=ui.PreviewImage(panels))


class SaveGuidance(Node):
    """Writes a run's edits to a file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_SaveGuidance",
            display_name="Save Guidance",
            category=MENU,
            description="Stores what Semantic Guidance added at every step, as safetensors in the output folder, to be "
            "replayed with another seed or prompt by Load Guidance.",
            search_aliases=found_by("export guidance, store sega"),
            is_output_node=True,
            inputs=[
                LM_MAPS.Input("maps", tooltip="From Semantic Guidance."),
                io.Latent.Input(
                    "latent", tooltip="From the sampler that used its model: says which of its runs to store."
                ),
                io.String.Input(
                    "filename_prefix",
                    default="guidance/edit",
                    tooltip="Folder and start of the name in the output folder.",
                ),
            ],
            outputs=[FILE.Output(display_name="file", tooltip="The name for Load Guidance.")],
        )

    @classmethod
    def validate_inputs(cls, filename_prefix: str | None = None) -> bool | str:
        """A bad name is told before anything is sampled; a linked one is not known yet."""
        return True if filename_prefix is None else refusal(cls, lambda: check_prefix(filename_prefix))

    @classmethod
    def execute(cls, maps: Maps, latent: dict, filename_prefix: str) -> io.NodeOutput:
        name = f"{save_guidance(maps.fit(latent['samples'], Edits), filename_prefix)} [output]"
        return io.NodeOutput(name, ui={"text": (name,)})


class LoadGuidance(Node):
    """Replays stored edits."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_LoadGuidance",
            display_name="Load Guidance",
            category=MENU,
            description="Adds the edits that Save Guidance stored to another run, at the same noise levels. No concept "
            "is computed, so it costs nothing.",
            search_aliases=found_by("replay guidance, import guidance, stored sega"),
            inputs=[
                io.Model.Input("model", tooltip="The model to patch; the one that goes in stays as it is."),
                Names(
                    "file",
                    options=stored_guidance(),
                    tooltip="A file of Save Guidance: of the input folder, or 'name [output]' of the output folder. "
                    "Press R for new ones; a name may also come over a link.",
                ),
                io.Float.Input(
                    "scale",
                    default=1.0,
                    min=-5.0,
                    max=5.0,
                    step=0.01,
                    tooltip="Times the stored edit, -5..5. Neutral: 0.",
                ),
            ],
            outputs=[io.Model.Output(tooltip="The model, for a sampler of the stored size.")],
        )

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        """A missing file is told before anything is sampled; a linked name is not known yet."""
        return True if file is None else refusal(cls, lambda: check_guidance(file))

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None, **others: object) -> float:
        """A changed file is read again; of a linked name the host tells nothing here, but sees when it changes."""
        return os.path.getmtime(guidance_path(file)) if file else 0.0

    @classmethod
    def execute(cls, model: object, file: str, scale: float) -> io.NodeOutput:
        return io.NodeOutput(replay(model, load_guidance(file), scale))


def _draw(masks: Tensor, names: tuple[str, ...], image: Tensor | None) -> Tensor:
    """(B, H', W', 3): a panel per concept side by side, strongest where it edited most, above a legend.

    masks: (B, concepts, H, W) in 0..1. image: (any, H, W, C), repeated to B.
    """
    under = torch.full((1, *masks.shape[-2:], 3), GREY) if image is None else image[..., :3].mean(-1, True).cpu()
    under = under[torch.arange(len(masks)) % len(under)]
    colours = region_colours([None] * len(names))
    opacity = OPACITY * masks / masks.amax((0, 2, 3), keepdim=True).clamp_min(1e-6)
    rgb = torch.tensor(colours) / 255
    panels = torch.cat([under.lerp(rgb[i], opacity[:, i, ..., None]) for i in range(len(names))], 2)
    k = enlargement(panels.shape[2])
    panels = panels.repeat_interleave(k, 1).repeat_interleave(k, 2)
    strip = legend(list(names), colours, "", panels.shape[2])
    return torch.cat([panels, strip.expand(len(panels), *strip.shape)], 1)


NODES = [EditMapsToImage, SaveGuidance, LoadGuidance]
