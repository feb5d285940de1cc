"""Tiny models again on another device or in another dtype, and random ones of real size that are made on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import torch
from comfy import supported_models
from comfy.model_management import get_free_memory
from comfy.model_patcher import ModelPatcher
from pack.bench.sd15 import FORM, WIDTH, random_model
from pack.tests.tiny_models import Family
from torch import device as Device
from torch import dtype as Dtype

SD15 = {**FORM, "dtype": torch.float16}
SDXL = SD15 | dict(num_res_blocks=[2] * 3, channel_mult=(1, 2, 4), transformer_depth=[0, 0, 2, 2, 10, 10])
SDXL |= dict(transformer_depth_output=[0, 0, 0, 2, 2, 2, 10, 10, 10], transformer_depth_middle=10, context_dim=2048)
SDXL |= dict(use_linear_in_transformer=True, adm_in_channels=2816, num_classes="sequential")
FLUX = dict(image_model="flux", in_channels=16, out_channels=16, patch_size=2, hidden_size=3072, num_heads=24)
FLUX |= dict(depth=19, depth_single_blocks=38, axes_dim=[16, 56, 56], theta=10000, mlp_ratio=4.0, qkv_bias=True)
FLUX |= dict(context_in_dim=4096, vec_in_dim=768, guidance_embed=True, txt_ids_dims=[])
FLUX_BYTES = 23.8e9
"""Of its weights in bfloat16."""
SMALL_UNET = dict(model_channels=32)
SMALL_FLUX = dict(hidden_size=128, num_heads=1, depth=2, depth_single_blocks=4)
"""What makes them quick enough for a dry run on a CPU."""


@dataclass(frozen=True)
class Form:
    """A model of real size, and how it is sampled."""

    label: str
    family: Family
    side: int
    """Latent cells along each side."""
    steps: int
    cfg: float


def sd15(tiny: bool) -> Form:
    """512x512, with a negative prompt."""
    form, side = (SD15 | SMALL_UNET, 16) if tiny else (SD15, 64)
    model = cache(partial(random_model, supported_models.SD15, form, torch.float16, num_heads=8))
    return Form(
        f"SD1.5, {8 * side} px", Family(model, channels=4, context=WIDTH, rows=77), side, 2 if tiny else 20, 7.0
    )


def sdxl(tiny: bool) -> Form:
    """1024x1024, with a negative prompt."""
    form, side = (SDXL | SMALL_UNET, 16) if tiny else (SDXL, 128)
    model = cache(partial(random_model, supported_models.SDXL, form, torch.float16, num_head_channels=64))
    family = Family(model, channels=4, context=2048, rows=77, patch=2, pooled=1280)
    return Form(f"SDXL, {8 * side} px", family, side, 2 if tiny else 10, 7.0)


def flux(tiny: bool) -> Form:
    """1024x1024 at CFG 1; on a small card with as many blocks as two fifths of its free memory hold."""
    depth = max(1, int(min(1.0, 0.4 * get_free_memory() / FLUX_BYTES) * FLUX["depth"]))
    form = FLUX | (SMALL_FLUX if tiny else dict(depth=depth, depth_single_blocks=2 * depth))
    model = cache(partial(random_model, supported_models.Flux, form, torch.bfloat16))
    family = Family(model, channels=16, context=4096, rows=512, patch=2, joint=True, pooled=768)
    side, blocks = 16 if tiny else 128, form["depth"] + form["depth_single_blocks"]
    return Form(f"Flux, {blocks} blocks, {8 * side} px", family, side, 2 if tiny else 4, 1.0)


FORMS: dict[str, Callable[[bool], Form]] = {make.__name__: make for make in (sd15, sdxl, flux)}
"""tiny: of the same build, but with few channels, and at 128x128."""


def again(made: ModelPatcher, weights: Dtype, computed: Dtype, device: Device) -> ModelPatcher:
    """The same model with its weights rounded to `weights`, computed in `computed` on the device."""
    old = made.model.model_config
    config = object.__new__(type(old))
    vars(config).update(vars(old) | {"unet_config": dict(old.unet_config)})
    config.set_inference_dtype(weights, None if computed == weights else computed)
    model = config.get_model({}, "", device=Device("cpu"))
    model.diffusion_model.load_state_dict(made.model.diffusion_model.state_dict())
    return ModelPatcher(model, device, Device("cpu"))
