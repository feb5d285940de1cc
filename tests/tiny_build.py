"""Builds a model of the host from a small form, with seeded random weights."""

from __future__ import annotations

import torch

CPU = torch.device("cpu")


def build(config: type, form: dict, **late):
    """ModelPatcher of a class of `comfy.supported_models`; `late` goes to its unet_config, past unet_extra_config."""
    import comfy.model_patcher

    config = config({**form, "dtype": torch.float32})
    config.unet_config.update(late)
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model({}, "", device=CPU)
    fill(model.diffusion_model)
    return comfy.model_patcher.ModelPatcher(model, CPU, CPU)


@torch.no_grad()
def fill(module: torch.nn.Module) -> None:
    """Weights that keep the size of what they act on, and none that is zero; norms and biases neutral.

    Of buffers, those that a checkpoint brings and the host leaves unset.
    """
    generator = torch.Generator().manual_seed(0)
    weights = dict(module.named_parameters()) | {
        n: b for n, b in module.named_buffers() if n in ("pos_embed", "rope.inv_freq")
    }
    for name, weight in weights.items():
        if weight.ndim > 1:
            weight.normal_(0, weight[0].numel() ** -0.5, generator=generator)
        else:
            weight.fill_(0.0 if name.endswith("bias") else 1.0)
