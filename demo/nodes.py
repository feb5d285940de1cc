"""The node that loads the embedded model."""

from __future__ import annotations

from comfy_api.latest import io

from ..nodes.inputs.node import Node
from ..nodes.inputs.shared import CATEGORY, found_by


class LoadTinyScenes(Node):
    """The embedded demo model: 128x128 pictures of coloured shapes before simple backgrounds."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_LoadTinyScenes",
            display_name="Load TinyScenes",
            category=f"{CATEGORY}/demo",
            description="A tiny latent diffusion model in SD1.5's form that comes with the pack: 128x128 pictures of "
            "coloured shapes. Every template without a checkpoint's name in its title runs on it in seconds, without a "
            "download.",
            search_aliases=found_by(
                "demo checkpoint, tiny model, test model, embedded model, example model, tinyscenes"
            ),
            inputs=[],
            outputs=[io.Model.Output(), io.Clip.Output(), io.Vae.Output()],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        from .model import load

        return io.NodeOutput(*load())


NODES = [LoadTinyScenes]
