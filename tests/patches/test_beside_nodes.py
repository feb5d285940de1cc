"""Regions and capture beside the host's own nodes that patch a MODEL: exact in both orders, and neutral to the bit."""

import importlib

import pytest
import torch
from pack.tests import tiny_control
from pack.tests.patches.beside import SD1, holds, paint


def extra(module, name, *args):
    """A node of `comfy_extras`, as a function of the MODEL."""

    def node(model):
        cls = getattr(importlib.import_module(f"comfy_extras.nodes_{module}"), name)
        out = cls.execute(model, *args) if hasattr(cls, "define_schema") else cls().patch(model, *args)
        return (out if isinstance(out, tuple) else out.result)[0]

    return node


def perp_neg(model):
    return extra("perpneg", "PerpNeg", SD1.conditioning(""), 1.0)(model)


NODES = {
    "LoRA": tiny_control.with_lora,
    "FreeU": extra("freelunch", "FreeU", 1.1, 1.2, 0.9, 0.2),
    "FreeU_V2": extra("freelunch", "FreeU_V2", 1.3, 1.4, 0.9, 0.2),
    "PerturbedAttentionGuidance": extra("pag", "PerturbedAttentionGuidance", 3.0),
    "SelfAttentionGuidance": extra("sag", "SelfAttentionGuidance", 0.5, 2.0),
    "PerpNeg": perp_neg,
    "RescaleCFG": extra("model_advanced", "RescaleCFG", 0.7),
    "v-prediction": extra("model_advanced", "ModelSamplingDiscrete", "v_prediction", False),
    "HyperTile": extra("hypertile", "HyperTile", 32, 2, 0, False),
    "TomePatchModel": extra("tomesd", "TomePatchModel", 0.5),
}
ZERO_SNR = extra("model_advanced", "ModelSamplingDiscrete", "v_prediction", True)
CACHES = {
    "EasyCache": extra("easycache", "EasyCacheNode", 3.0, 0.0, 1.0, False),
    "LazyCache": extra("easycache", "LazyCacheNode", 3.0, 0.0, 1.0, False),
}


@pytest.mark.parametrize("name", NODES)
def test_a_node_that_patches_the_model(comfy, name):
    assert not torch.equal(paint(NODES[name](SD1.model())), paint(SD1.model())), "the node itself does nothing here"
    holds(NODES[name])


@pytest.mark.parametrize("name", CACHES)
def test_a_node_that_skips_steps(comfy, name):
    """Three of four model calls are not made at all."""

    def draw(model):
        return paint(model, steps=4)

    assert not torch.equal(draw(CACHES[name](SD1.model())), draw(SD1.model()))
    holds(CACHES[name], draw)


def test_zero_terminal_snr(comfy):
    """What the model says at noise level 4518: float32 leaves too few digits in the latent of that step itself."""

    def draw(model):
        said = []
        paint(model, steps=1, callback=lambda step, denoised, x, total: said.append(denoised))
        return said[0]

    holds(ZERO_SNR, draw)


@pytest.mark.parametrize("shrink", ["first", "last"])
def test_deep_shrink_halves_the_grid_of_some_blocks_for_a_while(comfy, shrink):
    percents = (0.0, 0.6) if shrink == "first" else (0.6, 1.0)
    holds(
        extra("model_downscale", "PatchModelAddDownscale", 2, 2.0, *percents, True, "bicubic", "bicubic"), grids=False
    )
