"""The nodes that load the embedded model and its adapters."""

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
            "download; those with IP-Adapter in it need ComfyUI_IPAdapter_plus.",
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


class LoadTinyScenesControl(Node):
    """The embedded model's ControlNet."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_LoadTinyScenesControlNet",
            display_name="Load TinyScenes ControlNet",
            category=f"{CATEGORY}/demo",
            description="A small ControlNet for Load TinyScenes, for Apply ControlNet (Advanced): white outlines on "
            "black, as large as the picture, say where things are and which shape they have. It comes with the pack.",
            search_aliases=found_by("outline, edges, canny, line art, control net, demo controlnet, tinyscenes"),
            inputs=[],
            outputs=[io.ControlNet.Output(tooltip="For Apply ControlNet (Advanced), with the outlines as its image.")],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        from .control import load

        return io.NodeOutput(load())


class LoadTinyScenesAdapter(Node):
    """The embedded model's IP-Adapter."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_LoadTinyScenesIPAdapter",
            display_name="Load TinyScenes IP-Adapter",
            category=f"{CATEGORY}/demo",
            description="A small IP-Adapter for Load TinyScenes, for the nodes of ComfyUI_IPAdapter_plus: a picture "
            "says which colours, background and style there are, the prompt which shapes. It comes with the pack.",
            search_aliases=found_by("ip adapter, ipadapter, reference image, image prompt, style transfer, tinyscenes"),
            inputs=[],
            outputs=[
                io.Custom("IPADAPTER").Output(
                    display_name="ipadapter", tooltip="For IPAdapter Advanced, as `ipadapter`."
                ),
                io.ClipVision.Output(tooltip="Its image encoder. For IPAdapter Advanced, as `clip_vision`."),
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        from .adapter import load

        return io.NodeOutput(*load())


NODES = [LoadTinyScenes, LoadTinyScenesControl, LoadTinyScenesAdapter]
