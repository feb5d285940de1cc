"""An explicit reference of InfusionBias in transformers: passes by hand, with hooks on the blocks themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from pack.tests import tiny_models
from pack.tests.reach import REACH
from torch import Tensor

NEW = {"flux2": "flux2_klein", "lens": "lens", "mage_flow": "mage_flow"}
NEW |= {name: name for name in ("cosmos_predict2", "anima", "ltxv", "kandinsky5", "kandinsky5_image")}
"""Families of tests.reach that are tried here too: the older host does not know all of them."""
FAMILIES = {**tiny_models.FAMILIES, **{name: REACH[there] for name, there in NEW.items()}}
LISTS = {"flux": {"double": "double_blocks", "single": "single_blocks"}, "wan": {"double": "blocks"}}
LISTS |= {"chroma": LISTS["flux"], "flux2": LISTS["flux"]}
LISTS |= dict.fromkeys(("qwen_image", "lens", "mage_flow"), {"double": "transformer_blocks"})
LISTS |= dict.fromkeys(("sd3", "sd35"), {"joint": "joint_blocks"})
LISTS |= dict.fromkeys(("lumina2", "z_image"), {"double": "layers"})
IMAGE = {("flux", "double"): 0, ("flux2", "double"): 0, ("chroma", "double"): 0, ("qwen_image", "double"): 1}
IMAGE |= {("lens", "double"): 1, ("mage_flow", "double"): 1, ("sd3", "joint"): 1, ("sd35", "joint"): 1}
"""Where a block that gives a pair has the picture's tokens."""


def every(name: str, weight: float = 0.3) -> dict[str, float]:
    """All sites of a tiny model, two of each kind."""
    return {f"{kind}.{i}": weight + 0.1 * i for kind in LISTS[name] for i in range(2)}


class ByHand:
    """What the plain model gets with the positive prompt, seen first and then there for `_act`, one model call."""

    given: dict
    """Of one row of the batch, without its options."""

    def on(self, model, draw: Callable):
        """draw(model) runs it once, for the positive prompt's own inputs."""
        self.base = model.model
        first, patched = model.clone(), model.clone()
        first.set_model_unet_function_wrapper(self._look)
        draw(first)
        patched.set_model_unet_function_wrapper(self._act)
        return patched

    def _look(self, apply_model, args):
        x, c, chunks = args["input"], args["c"], args["cond_or_uncond"]
        if 0 in chunks:
            at = chunks.index(0) * len(x) // len(chunks)
            rows = {k: v[at : at + 1] if isinstance(v, Tensor) and len(v) == len(x) else v for k, v in c.items()}
            self.given = {name: value for name, value in rows.items() if name != "transformer_options"}
        return apply_model(x, args["timestep"], **c)

    def _act(self, apply_model: Callable, args: dict) -> Tensor:
        raise NotImplementedError


@dataclass
class TokenExplicit(ByHand):
    """Every picture goes through the plain model alone; what its blocks give is averaged and mixed in by hooks."""

    name: str
    samples: Tensor
    sites: dict[str, float]
    mix: Callable = lambda h, g, w: h + w * g
    mask: Tensor | None = None
    """(1, H, W)."""

    def _act(self, apply_model, args):
        x, t, c = args["input"], args["timestep"], args["c"]
        passes = [self._record(picture[None], t) for picture in self.base.process_latent_in(self.samples)]
        means = {site: sum(seen[site] for seen in passes) / len(passes) for site in self.sites}
        self.rows = c["c_crossattn"].shape[1]
        changes = [self._hook(site, lambda h, site=site: self._mixed(site, h, means[site])) for site in self.sites]
        try:
            return apply_model(x, t, **c)
        finally:
            for hook in changes:
                hook.remove()

    def _record(self, z: Tensor, t: Tensor) -> dict[str, Tensor]:
        seen: dict[str, Tensor] = {}
        self.rows = self.given["c_crossattn"].shape[1]
        hooks = [self._hook(site, lambda h, site=site: seen.update({site: h.clone()}) or h) for site in self.sites]
        x = z / self.base.model_sampling.calculate_input(t[:1], torch.ones_like(z))
        self.base.apply_model(x, t[:1], transformer_options={}, **self.given)
        for hook in hooks:
            hook.remove()
        return seen

    def _mixed(self, site: str, h: Tensor, g: Tensor) -> Tensor:
        """h, g (rows, T, C) as pictures (rows, C, frames * height, width)."""
        frames, height, width = self._grid()
        where = 1.0
        if self.mask is not None:
            where = F.interpolate(self.mask[:, None], (height, width), mode="area").repeat(1, 1, frames, 1)
        h, g = (x.transpose(1, 2).reshape(len(x), -1, frames * height, width) for x in (h, g))
        return self.mix(h, g, self.sites[site] * where).flatten(2).transpose(1, 2)

    def _grid(self) -> tuple[int, int, int]:
        height, width = (math.ceil(side / FAMILIES[self.name].patch) for side in self.samples.shape[-2:])
        return (self.samples.shape[2] if self.samples.ndim == 5 else 1), height, width

    def _hook(self, site: str, change: Callable[[Tensor], Tensor]):
        kind, number = site.split(".")
        block = getattr(self.base.diffusion_model, LISTS[self.name][kind])[int(number)]
        count = math.prod(self._grid())

        def part(tokens, first):
            return torch.cat(
                [tokens[:, :first], change(tokens[:, first : first + count]), tokens[:, first + count :]], 1
            )

        def hook(module, args, out):
            if (self.name, kind) in IMAGE:
                at = IMAGE[self.name, kind]
                return (*out[:at], part(out[at], 0), *out[at + 1 :])
            multiple = 32 if self.name == "z_image" else 1
            return part(out, 0 if self.name == "wan" else math.ceil(self.rows / multiple) * multiple)

        return block.register_forward_hook(hook)
