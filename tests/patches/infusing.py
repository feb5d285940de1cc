"""An explicit reference of InfusionBias in two passes by torch's hooks on the U-Net's layers, and what tests share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from pack.tests.tiny_models import FAMILIES, sample
from torch import Tensor

FAMILY = FAMILIES["sd15"]
KINDS = {
    "in": {"in.1": 0.4, "in.3": 0.3, "in.11": 0.5},
    "mid": {"mid.0": 0.6},
    "out": {"out.0": 0.4, "out.5": 0.3},
    "last": {"out.11": 0.4},
    "skip": {"skip.0": 0.3, "skip.4": -0.4, "skip.11": 0.5},
}
ALL = {site: weight for sites in KINDS.values() for site, weight in sites.items()}
SMALL = {"in.3": 0.4, "mid.0": 0.5, "out.1": 0.3, "out.3": 0.4, "skip.1": 0.3}
"""Every kind of site of the tiny model sd1, which has 4 blocks on each side."""


def listed(sites: dict[str, float]) -> str:
    return ", ".join(f"{site}:{weight}" for site, weight in sites.items())


def pictures(count: int = 1, height: int = 16, width: int = 16, seed: int = 5) -> Tensor:
    """Biasing latents."""
    return torch.randn(count, 4, height, width, generator=torch.Generator().manual_seed(seed))


def biased(model, samples: Tensor, sites: dict[str, float] = ALL, mask: Tensor | None = None, **settings):
    """InfusionBias with weight 1 on a model; settings as InfuseSettings."""
    from pack.patches.infuse import InfuseSettings, infuse

    return infuse(model, samples, mask, InfuseSettings(**{"weight": 1.0, "sites": listed(sites), **settings}))


def draw(model, family=FAMILY, size: tuple[int, int] = (16, 16), batch: int = 1, **options) -> Tensor:
    given = family.conditioning(), family.conditioning("blurry")
    return sample(model, family.latent(batch, *size), *given, **options)


def text(family=FAMILY, prompt: str | None = None) -> Tensor:
    return (family.conditioning(prompt) if prompt else family.conditioning())[0][0]


def close(ours: Tensor, explicit: Tensor, plain: Tensor, bound: float = 1e-4) -> bool:
    """Equal to 1e-4 of the picture's size, and far from the picture without infusion."""
    size = explicit.abs().max()
    assert explicit.isfinite().all() and (plain - explicit).abs().max() > 1e-2 * size, (
        "the pictures change nothing here"
    )
    return bool((ours - explicit).abs().max() <= bound * size)


@dataclass
class Explicit:
    """Runs the U-Net by hand on the biasing latents, keeps what its blocks give, then adds that in the real call."""

    samples: Tensor
    sites: dict[str, float]
    texts: tuple[Tensor, ...]
    """(1, n, C) of the recorded pass: one, or one for each place in cond_or_uncond."""
    mix: Callable = lambda h, g, w: h + w * g
    shares: tuple[float, ...] = ()
    mask: Tensor | None = None
    """(B or 1, H, W)."""
    scale: Callable[[float], float] = lambda sigma: 1.0
    noise: Tensor | None = None
    corner: tuple[int, int] = (0, 0)
    """Of the area that a smaller call is made for."""
    seen: dict[str, Tensor] = field(default_factory=dict)

    def on(self, model):
        patched = model.clone()
        self.base, self.network = model.model, model.model.diffusion_model
        patched.set_model_unet_function_wrapper(self)
        return patched

    def __call__(self, apply_model, args):
        x, t, c, chunks = args["input"], args["timestep"], args["c"], args["cond_or_uncond"]
        self.parts = [self.record(x, t, c, self.texts[place if len(self.texts) > 1 else 0]) for place in chunks]
        self.now = self.scale(float(t[0]))
        hooks = [self.add(site, weight) for site, weight in self.sites.items()]
        try:
            return apply_model(x, t, **c)
        finally:
            for hook in hooks:
                hook.remove()

    def record(self, x: Tensor, t: Tensor, c: dict, text: Tensor) -> dict[str, Tensor]:
        """Site -> (1, C, h, w)."""
        z, seen, hooks = self.base.process_latent_in(self.samples), {}, []
        if self.noise is not None:
            z = (z + t[0] * self.noise) / (t[0] ** 2 + 1) ** 0.5
        (top, left), (h, w), count = self.corner, x.shape[-2:], len(z)
        z = z if z.shape[-2:] == (h, w) else z[..., top : top + h, left : left + w]
        for site in self.sites:
            hooks.append(self.block(site)[-1].register_forward_hook(_keep(seen, site)))
        rows = {"context": text.expand(count, -1, -1), "y": c["y"][:1].expand(count, -1) if "y" in c else None}
        rows = {name: value if value is None else value.to(self.base.get_dtype()) for name, value in rows.items()}
        time = self.base.model_sampling.timestep(t[:1]).float().expand(count)
        self.network(z.to(self.base.get_dtype()), time, transformer_options={}, **rows)
        for hook in hooks:
            hook.remove()
        shares = torch.tensor(self.shares or [1.0] * count, dtype=z.dtype)
        return {site: (g * (shares / shares.sum()).view(-1, 1, 1, 1)).sum(0, keepdim=True) for site, g in seen.items()}

    def block(self, site: str):
        kind, number = site.split(".")
        if kind == "mid":
            return self.network.middle_block
        return (self.network.output_blocks if kind == "out" else self.network.input_blocks)[int(number)]

    def add(self, site: str, weight: float):
        """A hook where the site's features enter the next layers."""
        kind, number = site.split(".")
        inputs, outputs, number = self.network.input_blocks, self.network.output_blocks, int(number)
        if kind == "in":
            following = inputs[number + 1] if number + 1 < len(inputs) else self.network.middle_block
            return following[0].register_forward_pre_hook(lambda _, args: self.changed(site, weight, args))
        if kind == "skip":
            at = outputs[len(inputs) - 1 - number]
            return at[0].register_forward_pre_hook(lambda _, args: self.changed(site, weight, args, last=True))
        at = 0 if kind == "mid" else number + 1
        if at < len(outputs):
            return outputs[at][0].register_forward_pre_hook(lambda _, args: self.changed(site, weight, args))
        return outputs[-1][-1].register_forward_hook(lambda _, args, out: self.changed(site, weight, (out,))[0])

    def changed(self, site: str, weight: float, args: tuple, last: bool = False) -> tuple:
        h, parts = args[0].clone(), [part[site] for part in self.parts]
        channels = parts[0].shape[1]
        at = slice(h.shape[1] - channels, None) if last else slice(0, channels)
        for rows, g in zip(h.chunk(len(parts)), parts, strict=True):
            where = 1.0 if self.mask is None else F.interpolate(self.mask[:, None], g.shape[-2:], mode="area").to(h)
            rows[:, at] = self.mix(rows[:, at].clone(), g.to(h), self.now * weight * where)
        return (h, *args[1:])


def _keep(seen: dict[str, Tensor], site: str) -> Callable:
    def hook(module, args, out):
        seen[site] = out.clone()

    return hook
