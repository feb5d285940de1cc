"""Tiny models of the host's own classes that read more than one text, with conditionings as their encoders make them.

family = TEXTS["hidream"]
positive = family.conditioning("a cat")
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from pack.tests.tiny_build import build
from pack.tests.tiny_models import Family


@cache
def anima():
    from comfy.supported_models import Anima

    form = dict(max_img_h=64, max_img_w=64, max_frames=8, in_channels=16, out_channels=16, patch_spatial=2)
    form |= dict(patch_temporal=1, concat_padding_mask=True, model_channels=64, num_blocks=2, num_heads=4)
    form |= dict(crossattn_emb_channels=1024, pos_emb_cls="rope3d", pos_emb_learnable=True, use_adaln_lora=True)
    return build(Anima, form | dict(adaln_lora_dim=16, image_model="anima"))


@cache
def hidream():
    from comfy.supported_models import HiDream

    form = dict(image_model="hidream", patch_size=2, in_channels=16, out_channels=16, num_layers=2, num_single_layers=2)
    form |= dict(attention_head_dim=16, num_attention_heads=4, caption_channels=[40, 40], text_emb_dim=2048)
    form |= dict(num_routed_experts=2, num_activated_experts=1, axes_dims_rope=(4, 6, 6), max_resolution=(64, 64))
    return build(HiDream, form | dict(llama_layers=[0, 1, 2, 3]))


HUNYUAN = dict(image_model="hunyuan_video", context_in_dim=48, hidden_size=64, mlp_ratio=2.0, num_heads=4, depth=2)
HUNYUAN |= dict(depth_single_blocks=2, axes_dim=[4, 6, 6], theta=256, qkv_bias=True, guidance_embed=False, byt5=True)
HUNYUAN |= dict(meanflow=False, use_cond_type_embedding=False, vision_in_dim=None, meanflow_sum=False, vec_in_dim=None)


@cache
def hunyuan_image():
    from comfy.supported_models import HunyuanImage21

    form = dict(in_channels=64, out_channels=64, patch_size=[1, 1], axes_dim=[8, 8])
    return build(HunyuanImage21, HUNYUAN | form)


@cache
def hunyuan_video15():
    from comfy.supported_models import HunyuanVideo15

    form = dict(in_channels=65, out_channels=32, patch_size=[1, 1, 1], use_cond_type_embedding=True)
    return build(HunyuanVideo15, HUNYUAN | form | dict(vision_in_dim=1152, meanflow_sum=True))


@cache
def hydit():
    from comfy.supported_models import HunyuanDiT1

    form = dict(image_model="hydit1", input_size=16, patch_size=2, in_channels=4, hidden_size=64, depth=4, num_heads=4)
    return build(HunyuanDiT1, form | dict(mlp_ratio=2.0, text_states_dim=48, text_states_dim_t5=2048))


@dataclass(frozen=True)
class Texts(Family):
    """A family whose conditionings hold, for each name in `more`, what it makes of the prompt."""

    more: tuple[tuple[str, Callable[[str], torch.Tensor]], ...] = ()

    def conditioning(self, prompt: str = "a cat", rows: int | None = None) -> list:
        [[text, options]] = super().conditioning(prompt, rows)
        made = {"pooled_output": vectors(self.pooled)(prompt)} if self.pooled else {}
        return [[text, {**options, **made, **{name: make(prompt) for name, make in self.more}}]]


def vectors(*shape: int) -> Callable[[str], torch.Tensor]:
    """(1, *shape), the same for the same prompt."""
    return lambda prompt: torch.randn(1, *shape, generator=torch.Generator().manual_seed(zlib.crc32(prompt.encode())))


def first(rows: int) -> Callable[[str], torch.Tensor]:
    """A mask (1, rows) of as many ones as the prompt has letters."""
    return lambda prompt: (torch.arange(rows)[None] < len(prompt)).long()


def letters(prompt: str) -> torch.Tensor:
    """The number of each letter and of an end, as Anima has those of its T5 tokens."""
    return torch.tensor([*map(ord, prompt), 1], dtype=torch.int)


_ANIMA = (("t5xxl_ids", letters), ("t5xxl_weights", lambda prompt: 1 + 0.1 * letters(prompt).remainder(3)))
_HYDIT = (("conditioning_mt5xl", vectors(256, 2048)), ("attention_mask_mt5xl", first(256)))
_LLAMA = (("conditioning_llama3", vectors(4, 9, 40)),)
_BYT5 = (("conditioning_byt5small", vectors(5, 1472)),)

TEXTS = {
    "anima": Texts(anima, channels=16, context=1024, rows=12, patch=2, video=True, more=_ANIMA),
    "hidream": Texts(hidream, channels=16, context=40, rows=12, patch=2, pooled=2048, more=_LLAMA),
    "hunyuan_image": Texts(hunyuan_image, channels=64, context=48, rows=12, more=_BYT5),
    "hunyuan_video15": Texts(hunyuan_video15, channels=32, context=48, rows=12, pooled=32, video=True, more=_BYT5),
    "hydit": Texts(hydit, channels=4, context=48, rows=77, patch=2, more=(("attention_mask", first(77)), *_HYDIT)),
}
