"""IP-Adapter on the tiny model sd15: a double that follows its protocol, and the real pack with random weights."""

from __future__ import annotations

import atexit
import json
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import torch
from pack.tests import tiny_build
from pack.tools.packs import absent, imported
from torch import Tensor

PACK = "ComfyUI_IPAdapter_plus"

ABSENT = absent(PACK)
"""Why its tests are skipped."""

KEYS = [("input", i) for i in (1, 2, 4, 5, 7, 8)] + [("output", i) for i in range(3, 12)] + [("middle", 1)]
"""Where the pack puts its replaces on SD1.5; it numbers them 0-15 in this order. The host's middle block is 0."""

SDXL_KEYS = [(*block, i) for block in (("input", 3), ("output", 0), ("output", 1), ("middle", 0)) for i in range(2)]
"""The same on the tiny SDXL, with the block's index as the third part; only `double` can be put there."""

CLIP_WIDTH = 24
"""Channels of the image embedding, 1024 or 1280 in the published weights."""


@dataclass
class Replace:
    """Stands for Attn2Replace: one per block key, others are added to it."""

    parts: list[Branch] = field(default_factory=list)

    def add(self, part: Branch) -> None:
        self.parts.append(part)

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, extra_options: dict) -> Tensor:
        from comfy.ldm.modules.attention import optimized_attention

        out = optimized_attention(q, k, v, extra_options["n_heads"])  # no options: an override is never asked
        for part in self.parts:
            out = out + part(q, extra_options)
        return out.to(q.dtype)


@dataclass(frozen=True)
class Branch:
    """Stands for ipadapter_attention: one block's image branch. cond, uncond: (1, 4, C), mask: (1, H, W) or None."""

    to_k: Tensor
    to_v: Tensor
    cond: Tensor
    uncond: Tensor
    weight: float
    mask: Tensor | None = None

    def __call__(self, q: Tensor, extra_options: dict) -> Tensor:
        from comfy.ldm.modules.attention import optimized_attention

        cond_or_uncond = extra_options["cond_or_uncond"]
        batch = q.shape[0] // len(cond_or_uncond)
        sides = [(self.cond, self.uncond)[i].repeat(batch, 1, 1) for i in cond_or_uncond]  # 0 is taken for positive
        image = torch.cat(sides)
        out = optimized_attention(q, image @ self.to_k, image @ self.to_v, extra_options["n_heads"]) * self.weight
        if self.mask is None:
            return out
        _, _, height, width = extra_options["original_shape"]
        rows = int(height / (height * width / q.shape[1]) ** 0.5)
        rows += int(q.shape[1] % rows != 0)
        mask = torch.nn.functional.interpolate(self.mask[:, None], size=(rows, q.shape[1] // rows), mode="bilinear")
        return out * mask.view(1, -1, 1)


def double(model, weight: float = 1.0, seed: int = 0, mask: Tensor | None = None, keys: list[tuple] = KEYS):
    """A clone with the double at every block key, put there as the pack does it.

    mask: (1, H, W) or None. AttributeError, as the original's: a plain function sits at one of the keys.
    """
    patched, given = model.clone(), weights(model, seed, keys)
    cond, uncond = (_project(given["image_proj"], image) for image in (embedding(seed), torch.zeros(1, CLIP_WIDTH)))
    for number, key in enumerate(keys):
        to_k, to_v = (given["ip_adapter"][f"{2 * number + 1}.to_{name}_ip.weight"].T for name in "kv")
        _place(patched, key, Branch(to_k, to_v, cond, uncond, weight, mask))
    return patched


def embedding(seed: int = 0) -> Tensor:
    """In the place of CLIP vision's (1, CLIP_WIDTH)."""
    return torch.randn(1, CLIP_WIDTH, generator=torch.Generator().manual_seed(100 + seed))


def _project(given: dict[str, Tensor], image: Tensor) -> Tensor:
    """Four tokens of an image, (1, 4, C)."""
    tokens = torch.nn.functional.linear(image, given["proj.weight"], given["proj.bias"]).reshape(1, 4, -1)
    return torch.nn.functional.layer_norm(tokens, tokens.shape[-1:], given["norm.weight"], given["norm.bias"])


def _place(model, key: tuple, part: Branch) -> None:
    options = model.model_options["transformer_options"].copy()
    replaces = options["patches_replace"] = options.get("patches_replace", {}).copy()
    replaces["attn2"] = replaces.get("attn2", {}).copy()
    if key not in replaces["attn2"]:
        replaces["attn2"][key] = Replace()
        model.model_options["transformer_options"] = options
    replaces["attn2"][key].add(part)


def _attn2(model, key: tuple) -> torch.nn.Module:
    """The cross-attention at a block key (the pack's 1 and the host's 0 are both the middle)."""
    unet = model.model.diffusion_model
    stage, number, index = (*key, 0)[:3]
    block = unet.middle_block if stage == "middle" else getattr(unet, f"{stage}_blocks")[number]
    return [module for name, module in block.named_modules() if name.endswith("attn2")][index]


def real_pack() -> ModuleType:
    """The real pack's IPAdapterPlus module, or a skip that says how to get it."""
    try:
        return imported(PACK, "IPAdapterPlus")
    except FileNotFoundError:
        pytest.skip(ABSENT)


def weights(model, seed: int = 0, keys: list[tuple] = KEYS) -> dict[str, dict[str, Tensor]]:
    """An IPADAPTER: what IPAdapterModelLoader reads from a file of the standard SD1.5 form, in this model's widths."""
    generator = torch.Generator().manual_seed(seed)
    text = _attn2(model, keys[0]).to_k.in_features
    sizes = {"proj.weight": (4 * text, CLIP_WIDTH), "proj.bias": (4 * text,), "norm.weight": (text,)}
    projection = {name: torch.randn(size, generator=generator) for name, size in sizes.items()}
    layers = {}
    for number, key in enumerate(keys):
        for name in ("k", "v"):
            layer = torch.randn(_attn2(model, key).to_q.out_features, text, generator=generator) * text**-0.5
            layers[f"{2 * number + 1}.to_{name}_ip.weight"] = layer
    return {"image_proj": projection | {"norm.bias": torch.zeros(text)}, "ip_adapter": layers}


@cache
def clip_vision():
    """A CLIP_VISION of the host for pictures of 224 x 224, the size that the real pack cuts to."""
    from comfy.clip_vision import ClipVisionModel

    form = dict(hidden_size=32, intermediate_size=64, num_attention_heads=4, num_hidden_layers=2, hidden_act="gelu")
    form |= dict(image_size=224, patch_size=56, num_channels=3, projection_dim=CLIP_WIDTH)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.json"  # 0.19.3 takes no dict
        config.write_text(json.dumps(form | {"model_type": "clip_vision_model"}))
        made = ClipVisionModel(config)
    tiny_build.fill(made.model)
    return made


def real(model, weight: float = 1.0, seed: int = 0, **options):
    """A clone with the real pack's patches, by its IPAdapterEmbeds node on a random image embedding.

    options: those of `apply_ipadapter` (weight_type, start_at, end_at, attn_mask, embeds_scaling).
    """
    node = real_pack().IPAdapterEmbeds()
    given = {
        "ipadapter": weights(model, seed),
        "weight": weight,
        "weight_type": "linear",
        "start_at": 0.0,
        "end_at": 1.0,
    }
    given |= {"pos_embed": embedding(seed), "neg_embed": torch.zeros(1, CLIP_WIDTH)}
    return node.apply_ipadapter(model, **given | options)[0]


def real_from_picture(model, image: Tensor, weight: float = 1.0, **options):
    """The same by its IPAdapterAdvanced node. image: (B, H, W, 3) in 0..1."""
    node = real_pack().IPAdapterAdvanced()
    return node.apply_ipadapter(
        model, weights(model), image=image, clip_vision=clip_vision(), weight=weight, **options
    )[0]


atexit.register(clip_vision.cache_clear)  # its finalizer needs the host's modules
