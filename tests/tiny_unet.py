"""A tiny U-Net of the host in SD1.5 form with random weights, for the tiny CLIP-L of tests/tiny.py."""

from __future__ import annotations

from functools import cache

import torch

CONTEXT = 32  # hidden size of tiny.CLIP_L
FORM = dict(
    image_size=32,
    in_channels=4,
    out_channels=4,
    model_channels=32,
    num_res_blocks=[1, 1],
    channel_mult=(1, 2),
    transformer_depth=[1, 1],
    transformer_depth_output=[1, 1, 1, 1],
    transformer_depth_middle=1,
    use_spatial_transformer=True,
    context_dim=CONTEXT,
    legacy=False,
    use_temporal_attention=False,
    use_linear_in_transformer=False,
    adm_in_channels=None,
    num_classes=None,
    dtype=torch.float32,
)


@cache
def sd1_unet():
    """A ModelPatcher; cross-attention is strong enough that one changed text row changes the picture."""
    import comfy.model_patcher
    import comfy.supported_models

    config = comfy.supported_models.SD15(FORM)
    config.unet_config["num_heads"] = 4  # set after construction: unet_extra_config overwrites it
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model({}, "", device=torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, 0.1, generator=generator)
            else:
                weight.fill_(0.0 if name.endswith("bias") else 1.0)
    cpu = torch.device("cpu")
    return comfy.model_patcher.ModelPatcher(model, cpu, cpu)


def sample(model, positive, negative, steps=4, cfg=3.0, scheduler="normal", sampler="euler", callback=None, batch=1):
    """The host's KSampler on a 16x16 latent, seed 1."""
    import comfy.sample

    latent = torch.zeros(batch, 4, 16, 16)
    noise = comfy.sample.prepare_noise(latent, 1)
    return comfy.sample.sample(
        model,
        noise,
        steps,
        cfg,
        sampler,
        scheduler,
        positive,
        negative,
        latent,
        seed=1,
        callback=callback,
        disable_pbar=True,
    )
