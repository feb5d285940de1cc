"""How effects reach inside a model."""

from __future__ import annotations

from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.model_patcher import ModelPatcher

from .layers import Layers, rotated
from .table import family_of
from .token_places import TokenPlaces
from .token_sites import TokenSites
from .unet_places import UNetPlaces
from .unet_sites import UNetSites

Sites = UNetSites | TokenSites
Places = UNetPlaces | TokenPlaces


def sites_of(model: ModelPatcher, phrases: bool = True) -> Sites:
    """The attention of this model; ValueError if it, or that to phrases, cannot be read or biased."""
    network = model.get_model_object("diffusion_model")
    if why := unreached(model, phrases):
        raise ValueError(
            f"Attention to phrases cannot be reached in a model of the kind {type(network).__name__}: {why}; use "
            "another model, or an effect that works without phrases."
        )
    return UNetSites(network) if has_unet(model) else TokenSites(network, family_of(network))


def has_unet(model: ModelPatcher) -> bool:
    """Whether it is a U-Net (SD1, SD2, SDXL); else a transformer."""
    return isinstance(model.get_model_object("diffusion_model"), UNetModel)


def unreached(model: ModelPatcher, phrases: bool = True) -> str:
    """Why the attention of this model, or that to phrases, cannot be reached; '': it can."""
    if has_unet(model):
        return ""
    family = family_of(model.get_model_object("diffusion_model"))
    if family is None:
        return "it is not known where its text and its picture meet"
    return family.unreachable or (family.wordless if phrases else "")


def places_of(model: ModelPatcher) -> Places:
    """The places at which features can enter this model; ValueError if it has none that we know."""
    network = model.get_model_object("diffusion_model")
    if has_unet(model):
        return UNetPlaces(network)
    family = family_of(network)
    if family is None or not any(blocks.features for blocks in family.blocks.values()):
        raise ValueError(
            f"The features cannot be reached in a model of the kind {type(network).__name__}: it is not known where in "
            "its blocks the picture is; use another model."
        )
    return TokenPlaces(network, family)


def layers_of(model: ModelPatcher) -> Layers:
    """The blocks in which a picture can look at other pictures; ValueError if it has none that we know."""
    network = model.get_model_object("diffusion_model")
    if has_unet(model):
        return Layers(UNetSites(network).blocks)
    family = family_of(network)
    blocks = family.attending(network) if family and not family.unreachable else []
    if not blocks:
        raise ValueError(
            f"How the picture looks at itself cannot be reached in a model of the kind {type(network).__name__}: "
            f"{(family and family.unreachable) or 'it is not known where in its blocks'}; choose another mix than "
            "'share'."
        )
    return Layers(blocks, family.moves, rotated(network))
