"""Models whose attention cannot be reached are refused when a node runs, in one sentence."""

import importlib

import pytest
import torch
from pack.tests.patches.models.test_families import captured
from pack.tests.patches.placing import place, region
from torch import nn

REFUSED = {
    "hidream.model.HiDreamImageTransformer2DModel": "each call of its attention holds the prompt in three places",
    "pixart.pixartms.PixArtMS": "its attention does not tell the host's hook",
    "hydit.models.HunYuanDiT": "its attention does not tell the host's hook",
    "cosmos.model.GeneralDIT": "it is not known where its text and its picture meet",
    "genmo.joint_model.asymm_models_joint.AsymmDiTJoint": "it is not known where its text and its picture meet",
}
"""Class of comfy.ldm -> what it lacks."""


@pytest.mark.parametrize("path", REFUSED)
@pytest.mark.parametrize("node", ["regions", "capture", "probe"])
def test_other_models_are_refused_before_anything_runs(comfy, path, node):
    module, _, name = path.rpartition(".")
    kind = getattr(importlib.import_module(f"comfy.ldm.{module}"), name)
    said = f"^Attention to phrases cannot be reached in a model of the kind {name}: {REFUSED[path]}.*; use another"
    with pytest.raises(ValueError, match=said):
        use(node, stub(kind))


def stub(network: type):
    """A ModelPatcher of a model without weights."""
    import comfy.model_base
    import comfy.model_patcher

    model = object.__new__(comfy.model_base.BaseModel)
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
