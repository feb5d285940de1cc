"""A U-Net of SD1.5's size (859.5 M parameters) with random weights, and one timed step of it."""

from __future__ import annotations

import time
from collections.abc import Callable

import comfy.model_patcher
import comfy.supported_models
import torch
from comfy.model_management import get_torch_device, soft_empty_cache
from comfy.samplers import CFGGuider, Sampler

WIDTH = 768
FORM = dict(
    image_size=32,
    in_channels=4,
    out_channels=4,
    model_channels=320,
    num_res_blocks=[2, 2, 2, 2],
    channel_mult=(1, 2, 4, 4),
    transformer_depth=[1, 1, 1, 1, 1, 1, 0, 0],
    transformer_depth_output=[1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
    transformer_depth_middle=1,
    use_spatial_transformer=True,
    context_dim=WIDTH,
    legacy=False,
    use_temporal_attention=False,
    use_linear_in_transformer=False,
    adm_in_channels=None,
    num_classes=None,
    dtype=torch.float32,
)


def unet() -> comfy.model_patcher.ModelPatcher:
    """A ModelPatcher in float32; weights are small enough that ten steps stay finite."""
    config = comfy.supported_models.SD15(dict(FORM))
    config.unet_config["num_heads"] = 8  # set after construction: unet_extra_config overwrites it
    config.set_inference_dtype(torch.float32, None)
    device = get_torch_device()
    model = config.get_model({}, "", device=device)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, weight[0].numel() ** -0.5)
            else:
                weight.fill_(0.0 if name.endswith("bias") else 1.0)
    return comfy.model_patcher.ModelPatcher(model, device, torch.device("cpu"))


class Once(Sampler):
    """One model call at a middling noise level, timed."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sample(
        self, model_wrap, sigmas, extra_args, callback, noise, latent_image, denoise_mask=None, disable_pbar=False
    ):
        x = model_wrap.inner_model.model_sampling.noise_scaling(sigmas[:1], noise, latent_image)
        _wait()
        start = time.perf_counter()
        model_wrap(x, sigmas[:1].expand(x.shape[0]), **extra_args)
        _wait()
        self.seconds = time.perf_counter() - start
        return latent_image


def step(model, positive: list, negative: list, size: int = 64, cfg: float = 7.5) -> float:
    """Seconds of one step (a batch of two: positive and negative) on a size x size latent."""
    guider, once = CFGGuider(model), Once()
    guider.set_conds(positive, negative)
    guider.set_cfg(cfg)
    latent = torch.zeros(1, 4, size, size)
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(0))
    guider.sample(noise, latent, once, torch.tensor([3.0, 0.0]), disable_pbar=True)
    return once.seconds


def in_turn(runs: dict[str, Callable[[], float]], pairs: int) -> dict[str, list[float]]:
    """Seconds of every run, called one after the other, `pairs` times, after one warm-up each."""
    for run in runs.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(pairs):
        for name, run in runs.items():
            seconds[name].append(run())
    soft_empty_cache()
    return seconds


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
