"""Tiny text encoders with random weights behind the host's own tokenizers (CLIP-L, CLIP-G, T5)."""

from __future__ import annotations

import atexit
import gc
from functools import cache

import torch

CLIP_L = dict(hidden_size=32, intermediate_size=64, num_attention_heads=4, num_hidden_layers=3)
CLIP_G = dict(hidden_size=48, intermediate_size=64, num_attention_heads=4, num_hidden_layers=3, projection_dim=48)
T5 = dict(d_model=32, d_ff=16, d_kv=8, num_heads=2, num_layers=1)
T5_WIDE = {**T5, "d_model": 4096}  # SD3 joins T5 to CLIP rows padded to 4096 channels


@cache
def sd1():
    from comfy.sd1_clip import SD1ClipModel, SD1Tokenizer

    return build(SD1Tokenizer, SD1ClipModel)


@cache
def sdxl():
    from comfy.sdxl_clip import SDXLClipModel, SDXLTokenizer

    return build(SDXLTokenizer, SDXLClipModel)


@cache
def sd3(clip_l: bool = True, clip_g: bool = True, t5: bool = True):
    """Any of the three encoders may be missing, as the host's DualCLIPLoader makes it."""
    from comfy.text_encoders.sd3_clip import SD3Tokenizer, sd3_clip

    return build(SD3Tokenizer, sd3_clip(clip_l, clip_g, t5, dtype_t5=torch.float32), T5_WIDE)


@cache
def flux():
    from comfy.text_encoders.flux import FluxTokenizer, flux_clip

    return build(FluxTokenizer, flux_clip(dtype_t5=torch.float32))


def qwen() -> type:
    """A tiny causal LLM of the host, in the place of Qwen2.5-VL 7B."""
    import comfy.text_encoders.llama as llama
    from comfy.sd1_clip import SDClipModel

    config = dict(hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, vocab_size=152064)
    config |= dict(num_key_value_heads=1)

    class TinyQwen(SDClipModel):
        def __init__(self, device="cpu", dtype=None, model_options=None):
            super().__init__(
                device=device,
                dtype=dtype,
                textmodel_json_config=config,
                special_tokens={"pad": 151643},
                layer_norm_hidden_state=False,
                model_class=llama.Qwen3_06B,
                enable_attention_masks=True,
                return_attention_masks=True,
                model_options=model_options,
            )

    return TinyQwen


@atexit.register
def forget() -> None:
    """Ends the cached CLIPs while the host's modules still stand; their finalizers need them."""
    for made in (sd1, sdxl, sd3, flux):
        made.cache_clear()
    gc.collect()


def build(tokenizer: type, model: type, t5: dict = T5, **options):
    """A CLIP of the host; `options` are added to its model_options."""
    from comfy.sd import CLIP
    from comfy.supported_models_base import ClipTarget

    configs = {"clip_l_model_config": CLIP_L, "clip_g_model_config": CLIP_G, "t5xxl_model_config": t5}
    clip = CLIP(ClipTarget(tokenizer, model), model_options={**configs, "dtype": torch.float32, **options})
    fill(clip.cond_stage_model)
    return clip


@torch.no_grad()
def fill(model: torch.nn.Module) -> None:
    """Seeded random weights, norms neutral. T5's blocks add nothing: each of its rows shows only its own token."""
    generator = torch.Generator().manual_seed(0)
    for name, weight in model.named_parameters():
        if name.endswith(
            "shared.weight"
        ):  # T5's vocabulary: overlapping views of one random line, or 4096 channels take 500 MB
            line = torch.randn(sum(weight.shape), generator=generator)
            weight.data = line.as_strided(weight.shape, (1, 1))
        elif "t5" in name and name.endswith((".o.weight", ".wo.weight")):
            weight.zero_()
        elif weight.ndim > 1:
            weight.normal_(0, 0.2, generator=generator)
        else:
            weight.fill_(0.0 if name.endswith("bias") else 1.0)
