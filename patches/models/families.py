"""Which models' attention can be reached, and how."""

from __future__ import annotations

from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.model_base import Flux2
from comfy.model_patcher import ModelPatcher
from torch.nn import Module

from .sites import UNetSites
from .transformers import CrossSites, JointSites, NamedJointSites

MMDIT = "comfy.ldm.modules.diffusionmodules.mmdit"
TRANSFORMERS = {
    "comfy.ldm.wan.model.WanModel": (CrossSites, {"double": "blocks"}),
    "comfy.ldm.flux.model.Flux": (JointSites, {"double": "double_blocks", "single": "single_blocks"}),
    "comfy.ldm.chroma.model.Chroma": (JointSites, {"double": "double_blocks", "single": "single_blocks"}),
    "comfy.ldm.qwen_image.model.QwenImageTransformer2DModel": (JointSites, {"double": "transformer_blocks"}),
    "comfy.ldm.lumina.model.NextDiT": (JointSites, {"double": "layers"}),
    f"{MMDIT}.OpenAISignatureMMDITWrapper": (NamedJointSites, {"joint": "joint_blocks"}),
}
"""Class of the diffusion model -> how its text is reached, and its lists of blocks by the name the host gives them.

The exact class: subclasses add pictures, sounds or poses to the tokens.
"""

BLOCKS_ALONE = ("comfy.ldm.lens.model.LensTransformer2DModel", "comfy.ldm.mage_flow.model.MageFlowTransformer2DModel")
"""Models whose blocks are reached, but not their attention to phrases. Their tokens are single latent cells."""


def sites_of(model: ModelPatcher) -> UNetSites | CrossSites | JointSites:
    """The sites of this model; ValueError if its attention cannot be read or biased."""
    network = model.get_model_object("diffusion_model")
    if isinstance(network, UNetModel):
        return UNetSites(network)
    name = _name(network)
    if name not in TRANSFORMERS or isinstance(model.model, Flux2):  # Flux 2 puts empty rows before its text
        kind = type(model.model if name in TRANSFORMERS else network)
        raise ValueError(
            f"Attention to phrases cannot be reached in a model of the kind {kind.__name__}; use one of SD1, SD2, "
            "SDXL, SD3, Flux.1, Chroma, Qwen-Image, Lumina 2, Z-Image or Wan."
        )
    sites, lists = TRANSFORMERS[name]
    return sites(network, lists)


def blocks_of(network: Module) -> tuple[dict[str, str], int] | None:
    """A transformer's lists of blocks by the name that the host gives them, and the side of a token in latent cells.

    None: a kind that we do not know.
    """
    name = _name(network)
    if name in BLOCKS_ALONE:
        return {"double": "transformer_blocks"}, 1
    if name not in TRANSFORMERS:
        return None
    patch = network.patch_size
    return TRANSFORMERS[name][1], patch if isinstance(patch, int) else patch[-1]


def _name(network: Module) -> str:
    kind = type(network)
    return f"{kind.__module__}.{kind.__name__}"
