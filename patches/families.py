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


def blocks_of(network: Module) -> dict[str, str] | None:
    """A transformer's lists of blocks by the name that the host gives them; None: one that we do not know."""
    return TRANSFORMERS.get(_name(network), (None, None))[1]


def _name(network: Module) -> str:
    kind = type(network)
    return f"{kind.__module__}.{kind.__name__}"
