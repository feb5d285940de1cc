"""An explicit reference of the mix 'share': every self-attention of a U-Net written out as a softmax in float64."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from pack.tests.patches.infusing import text
from torch import Tensor


def shared(model, samples: Tensor, weight: float = 2.0, mask: Tensor | None = None, image_mask=None, **settings):
    """InfusionBias with the mix on a model; settings as InfuseSettings."""
    from pack.patches.infuse import InfuseSettings, infuse

    how = {"preset": "all", "input": "noised", **settings}
    return infuse(model, samples, mask, InfuseSettings(weight, mix="share", **how), image_mask)


def noise(samples: Tensor) -> Tensor:
    """One noise, which all pictures get; by seed 0."""
    return torch.randn(samples[:1].shape, generator=torch.Generator().manual_seed(0)).expand(samples.shape)


@dataclass
class ShareExplicit:
    """Runs the U-Net by hand on the noised pictures and keeps what enters its self-attention; then that is shared."""

    samples: Tensor
    weights: dict[str, float] | None = None
    """Block, such as 'input_blocks.1.' -> weight; None: 2 everywhere."""
    shares: tuple[float, ...] = ()
    mask: Tensor | None = None
    """(B or 1, H, W)."""
    image_mask: Tensor | None = None
    """(N or 1, H, W)."""
    align: bool = False
    text: Tensor = field(default_factory=text)
    seen: dict[str, Tensor] = field(default_factory=dict)

    def on(self, model):
        patched = model.clone()
        self.base, self.network = model.model, model.model.diffusion_model
        patched.set_model_unet_function_wrapper(self)
        return patched

    def layers(self) -> dict:
        return {name: module for name, module in self.network.named_modules() if name.endswith("attn1")}

    def weight(self, name: str) -> float:
        if self.weights is None:
            return 2.0
        return next((weight for block, weight in self.weights.items() if name.startswith(block)), 0.0)

    def __call__(self, apply_model, args):
        x, t, c = args["input"], args["timestep"], args["c"]
        self.grid, self.rows = x.shape[-2:], len(x) // len(args["cond_or_uncond"])
        self.record(t, c)
        hooks = [
            module.register_forward_hook(lambda m, a, out, name=name: self.attended(m, a[0], name))
            for name, module in self.layers().items()
            if self.weight(name)
        ]
        try:
            return apply_model(x, t, **c)
        finally:
            for hook in hooks:
                hook.remove()

    def record(self, t: Tensor, c: dict) -> None:
        z, count = self.base.process_latent_in(self.samples), len(self.samples)
        z = (z + t[0] * noise(self.samples)) / (t[0] ** 2 + 1) ** 0.5
        hooks = [
            module.register_forward_pre_hook(lambda m, a, name=name: self.seen.update({name: a[0].clone()}))
            for name, module in self.layers().items()
        ]
        rows = {"context": self.text.expand(count, -1, -1)}
        rows |= {"y": c["y"][:1].expand(count, -1)} if "y" in c else {}
        time = self.base.model_sampling.timestep(t[:1]).float().expand(count)
        self.network(z.float(), time, transformer_options={}, **rows)
        for hook in hooks:
            hook.remove()

    def cells(self, mask: Tensor, tokens: int) -> Tensor:
        """(B, T) of a mask (B, H, W): by area on the layer's grid."""
        height = round((tokens * self.grid[0] / self.grid[1]) ** 0.5)
        return F.interpolate(mask[:, None].double(), (height, tokens // height), mode="area").flatten(1)

    def attended(self, module, n: Tensor, name: str) -> Tensor:
        pictures = self.seen[name]
        q, k, v = (heads(to(n), module.heads) for to in (module.to_q, module.to_k, module.to_v))
        others = [heads(to(pictures), module.heads) for to in (module.to_q, module.to_k, module.to_v)]
        count, tokens = len(pictures), n.shape[1]
        amounts = torch.tensor(self.shares or [1.0] * count, dtype=torch.float64)
        amounts = (amounts / amounts.sum())[:, None].expand(-1, tokens)
        if self.image_mask is not None:
            amounts = amounts * self.cells(self.image_mask, tokens)
        where = torch.ones(1, tokens, dtype=torch.float64)
        if self.mask is not None:
            where = self.cells(self.mask, tokens).repeat(len(n) // len(self.mask), 1)
        if self.align:
            q = q + where[:, None, :, None] * (moved(q, others[0], amounts) - q)
            k = k + where[:, None, :, None] * (moved(k, others[1], amounts) - k)
        odds = torch.einsum("bhqd,bhkd->bhqk", q, k).mul(q.shape[-1] ** -0.5).exp()
        theirs = torch.einsum("bhqd,nhkd->bhqnk", q, others[1]).mul(q.shape[-1] ** -0.5).exp()
        theirs = theirs * self.weight(name) * amounts[None, None, None] * where[:, None, :, None, None]
        whole = odds.sum(-1, keepdim=True) + theirs.sum((-2, -1))[..., None]
        out = (odds @ v + torch.einsum("bhqnk,nhkd->bhqd", theirs, others[2])) / whole
        return module.to_out(out.transpose(1, 2).flatten(2).to(n))


def heads(tokens: Tensor, count: int) -> Tensor:
    split = tokens if tokens.ndim == 4 else tokens.unflatten(2, (count, -1))
    return split.transpose(1, 2).double()


def moved(tokens: Tensor, others: Tensor, amounts: Tensor) -> Tensor:
    """AdaIN: mean and spread over a row's tokens become those of all pictures' tokens."""
    amounts = (amounts / amounts.sum())[:, None, :, None]
    mean = (others * amounts).sum((0, 2), keepdim=True)
    spread = ((others - mean) ** 2 * amounts).sum((0, 2), keepdim=True).sqrt()
    own = tokens - tokens.mean(2, keepdim=True)
    return own / (tokens.std(2, correction=0, keepdim=True) + 1e-5) * spread + mean


BLOCKS = {"in": "input_blocks.{}.", "mid": "middle_block.", "out": "output_blocks.{}."}


def modules(sites: dict[str, float]) -> dict[str, float]:
    """Sites by the names of the modules."""
    named = [(site.split("."), weight) for site, weight in sites.items()]
    return {BLOCKS[kind].format(number): weight for (kind, number), weight in named}
