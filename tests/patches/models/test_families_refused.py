"""Models whose attention cannot be reached are refused when a node runs, in one sentence."""

import importlib

import pytest
import torch
from pack.tests.patches.models.test_families import captured
from pack.tests.patches.placing import place, region
from torch import nn

REFUSED = [
    "aura.mmdit.MMDiT",
    "hunyuan_video.model.HunyuanVideo",
    "hidream.model.HiDreamImageTransformer2DModel",
    "pixart.pixartms.PixArtMS",
    "chroma_radiance.model.ChromaRadiance",
    "wan.model.VaceWanModel",
    "wan.model.CameraWanModel",
    "wan.model.WanModel_S2V",
    "wan.model.HumoWanModel",
    "wan.model_animate.AnimateWanModel",
    "lumina.model.NextDiTPixelSpace",
]
"""Classes of comfy.ldm; some inherit from classes that are reached."""


@pytest.mark.parametrize("path", REFUSED)
@pytest.mark.parametrize("node", ["regions", "capture", "probe"])
def test_other_models_are_refused_before_anything_runs(comfy, path, node):
    module, _, name = path.rpartition(".")
    kind = getattr(importlib.import_module(f"comfy.ldm.{module}"), name)
    with pytest.raises(ValueError, match=rf"^Attention to phrases cannot be reached .* kind {name}; use one of SD1, "):
        use(node, stub(kind))


@pytest.mark.parametrize("node", ["regions", "capture", "probe"])
def test_flux_2_is_refused_as_it_shifts_its_text(comfy, node):
    import comfy.model_base
    from comfy.ldm.flux.model import Flux

    with pytest.raises(ValueError, match="of the kind Flux2;"):
        use(node, stub(Flux, comfy.model_base.Flux2))


def stub(network: type, base: type | None = None):
    """A ModelPatcher of a model without weights."""
    import comfy.model_base
    import comfy.model_patcher

    model = object.__new__(base or comfy.model_base.BaseModel)
    nn.Module.__init__(model)
    model.diffusion_model = object.__new__(network)
    nn.Module.__init__(model.diffusion_model)
    return comfy.model_patcher.ModelPatcher(model, torch.device("cpu"), torch.device("cpu"))


def use(node: str, model) -> None:
    from pack.patches.probe import ProbeSettings, probe

    if node == "regions":
        place(model, region())
    elif node == "capture":
        captured(model)
    else:
        probe(model, [], {"samples": torch.zeros(1, 4, 8, 8)}, ProbeSettings(("red dog",)))
