"""Latent Manipulation: steer a diffusion model from the inside, as ComfyUI nodes."""

WEB_DIRECTORY = "./js"


async def comfy_entrypoint():
    """The host calls this once; nothing of the host is imported before."""
    from comfy_api.latest import ComfyExtension

    from .demo.nodes import NODES as DEMO_NODES
    from .nodes import NODES
    from .nodes.replaced import offer_replacements

    class LatentManipulation(ComfyExtension):
        async def on_load(self):
            await offer_replacements()

        async def get_node_list(self):
            return [*NODES, *DEMO_NODES]

    return LatentManipulation()
