"""What may stand beside our patches on tests/tiny_unet.py: a ControlNet and LoRAs of the host, with random weights."""

from __future__ import annotations

import atexit
from functools import cache

import torch
from pack.tests import tiny_build, tiny_unet
from torch import Tensor


@cache
def controlnet():
    """A CONTROL_NET in the U-Net's own form, for pictures of 8 pixels a latent cell."""
    from comfy.cldm.cldm import ControlNet as Module
    from comfy.controlnet import ControlNet

    form = {**tiny_unet.FORM, "hint_channels": 3, "num_heads": 4}
    form = {key: value for key, value in form.items() if key not in ("out_channels", "transformer_depth_output")}
    module = Module(**form)
    tiny_build.fill(module)
    return ControlNet(module, load_device=tiny_build.CPU)


def control(positive: list, negative: list, strength: float = 1.0, start: float = 0.0, end: float = 1.0, **options):
    """ControlNetApplyAdvanced of the host on a random picture -> positive, negative; options: image (B, H, W, 3)."""
    import nodes

    image = options.get("image", torch.rand(1, 128, 128, 3, generator=torch.Generator().manual_seed(0)))
    apply = nodes.ControlNetApplyAdvanced().apply_controlnet
    return apply(positive, negative, controlnet(), image, strength, start, end)


def lora_weights(model, rank: int = 2, scale: float = 1.0, only: str = "att") -> dict[str, Tensor]:
    """State dict of a LoRA on the linear layers of any model (names with `only` in them), as `comfy.lora` reads it."""
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for name, module in model.model.diffusion_model.named_modules():
        if isinstance(module, torch.nn.Linear) and only in name:
            up = torch.randn(module.out_features, rank, generator=generator)
            down = torch.randn(rank, module.in_features, generator=generator)
            weights[f"diffusion_model.{name}.lora_up.weight"] = up * scale * (rank * module.in_features) ** -0.5
            weights[f"diffusion_model.{name}.lora_down.weight"] = down
    return weights


def with_lora(model, strength: float = 1.0):
    """A clone of any family's model with a LoRA on its attention, as LoraLoaderModelOnly makes it."""
    from comfy.sd import load_lora_for_models

    return load_lora_for_models(model, None, lora_weights(model), strength, 0)[0]


def lora_hooks(model, strength: float = 1.0):
    """HOOKS as CreateHookLoraModelOnly makes them; put them on a conditioning with `hooked`."""
    from comfy.hooks import create_hook_lora

    return create_hook_lora(lora_weights(model), strength, 0)


def hooked(conditioning: list, hooks) -> list:
    """ConditioningSetHooks (Set Props) of the host."""
    from comfy.hooks import set_conds_props

    return set_conds_props([conditioning], strength=1.0, set_cond_area="default", hooks=hooks)[0]


atexit.register(controlnet.cache_clear)  # its finalizer needs the host's modules
