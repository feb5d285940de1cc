"""A U-Net of SD1.5's size (859.5 M parameters) with random weights, and timed runs of it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import comfy.model_patcher
import comfy.supported_models
import torch
from comfy.model_management import get_torch_device, soft_empty_cache
from comfy.samplers import CFGGuider, ksampler

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
    """A ModelPatcher in float32."""
    return random_model(comfy.supported_models.SD15, FORM, torch.float32, num_heads=8)


def random_model(config: type, form: dict, dtype: torch.dtype, **late: object) -> comfy.model_patcher.ModelPatcher:
    """Of a class of `comfy.supported_models`; its weights are small enough that ten steps stay finite.

    late: settings that the class overwrites, by its unet_extra_config, when it is made.
    """
    made = config(dict(form))
    made.unet_config.update(late)
    made.set_inference_dtype(dtype, None)
    device = get_torch_device()
    model = made.get_model({}, "", device=device)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, weight[0].numel() ** -0.5)
            else:
                weight.fill_(0.0 if name.endswith("bias") else 1.0)
    return comfy.model_patcher.ModelPatcher(model, device, torch.device("cpu"))


def sample(model, positive: list, negative: list, size: int = 64, steps: int = 1, cfg: float = 7.5) -> float:
    """Seconds of an Euler run (batches of two: positive and negative) on a size x size latent."""
    guider = CFGGuider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(cfg)
    latent = torch.zeros(1, 4, size, size)
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(0))
    sigmas = torch.tensor([*torch.linspace(6, 1, steps).tolist(), 0.0])
    start = time.perf_counter()
    guider.sample(noise, latent, ksampler("euler"), sigmas, disable_pbar=True)
    return time.perf_counter() - start


class Stopwatch:
    """Adds up the time inside methods of ours, by putting a timer around them."""

    def __init__(self, *methods: tuple[type, str]) -> None:
        self.seconds, self.running = 0.0, False
        for owner, name in methods:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method: Callable) -> Callable:
        @functools.wraps(method)
        def timed(*args, **kwargs):
            if self.running:  # called by another one that is timed
                return method(*args, **kwargs)
            start, self.running = time.perf_counter(), True
            try:
                return method(*args, **kwargs)
            finally:
                self.running = False
                self.seconds += time.perf_counter() - start

        return timed

    def share(self, run: Callable[[], float]) -> tuple[float, float]:
        """(own time / time, time) of one run."""
        self.seconds = 0.0
        whole = run()
        return self.seconds / whole, whole


def in_turn(
    runs: dict[str, Callable[[], float]], pairs: int, enough: Callable[[int], bool] = lambda done: False
) -> dict[str, list[float]]:
    """Seconds of every run, called one after the other, `pairs` times, after one warm-up each.

    enough: whether to stop after so many times already.
    """
    for run in runs.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for done in range(pairs):
        if enough(done):
            break
        for name, run in runs.items():
            seconds[name].append(run())
    soft_empty_cache()
    return seconds
