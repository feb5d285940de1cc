"""Tiny models of the host's own classes, one per family of attention; tests/tiny_models.py gives them their inputs.

Each docstring says how the model calls attention, as measured on the hosts 0.33.0 and 0.19.3: h x w are the tokens of
an image, n the rows of the conditioning. All but the U-Nets have patches of 2 x 2 cells (odd sides are rounded up), and
run a prompt and another of a different length one after the other, not in one batch.
"""

from __future__ import annotations

from functools import cache

from pack.tests.tiny_build import build
from pack.tests.tiny_unet import FORM

FLUX = dict(hidden_size=64, num_heads=4, depth=2, depth_single_blocks=2, axes_dim=[4, 6, 6], theta=10000, mlp_ratio=2.0)
FLUX |= dict(context_in_dim=48, patch_size=2, qkv_bias=True, txt_ids_dims=[])

SD3 = dict(in_channels=16, patch_size=2, depth=2, adm_in_channels=32, pos_embed_max_size=16, num_patches=256)
SD3 |= dict(input_size=None, qk_norm="rms", pos_embed_scaling_factor=None)
SD3 |= dict(context_embedder_config=dict(target="torch.nn.Linear", params=dict(in_features=48, out_features=128)))

LUMINA = dict(image_model="lumina2", patch_size=2, in_channels=16, dim=64, n_layers=2, n_refiner_layers=1, n_heads=4)
LUMINA |= dict(multiple_of=16, cap_feat_dim=48, axes_dims=[4, 6, 6], axes_lens=[64, 64, 64], qk_norm=True)


@cache
def sd15():
    """SD1.5's own blocks (input 1 2 4 5 7 8, middle 0, output 3-11) at 32-64 channels.

    Each calls self, then cross-attention, (q, k, v, heads) of (B, T, C). `transformer_options` holds block,
    block_index, transformer_index, activations_shape (its h, w) and original_shape. tests/tiny_unet.py, the family
    sd1, has fewer blocks: input 1 3, middle 0, output 0-3.
    """
    from comfy.supported_models import SD15

    form = {**FORM, "num_res_blocks": [2] * 4, "channel_mult": (1, 1, 2, 2)}
    form |= {"transformer_depth": [1] * 6 + [0] * 2, "transformer_depth_output": [1] * 9 + [0] * 3}
    return build(SD15, form, num_heads=4)


@cache
def sd2_v():
    """SD2.x in v-prediction: sd1's blocks with linear projections; the number of heads changes from block to block."""
    from comfy.model_base import ModelType
    from comfy.supported_models import SD20

    class SD2v(SD20):
        def model_type(self, state_dict, prefix=""):
            return ModelType.V_PREDICTION

    return build(SD2v, {**FORM, "use_linear_in_transformer": True, "context_dim": 48}, num_head_channels=16)


@cache
def sdxl(pooled: int = 1280):
    """SDXL: attention only at half the latent's size, two transformer blocks (block_index 0, 1) in each place.

    pooled: channels of a conditioning's `pooled_output`, of which tests/tiny.py's CLIP makes fewer.
    """
    from comfy.supported_models import SDXL

    form = {**FORM, "use_linear_in_transformer": True, "context_dim": 80, "transformer_depth": [0, 2]}
    form |= {"transformer_depth_output": [0, 0, 2, 2], "transformer_depth_middle": 2}
    form |= {"adm_in_channels": pooled + 6 * 256, "num_classes": "sequential"}
    return build(SDXL, form, num_head_channels=16)


@cache
def wan():
    """Wan 2.1 text to video: two blocks of self, then cross-attention over the n rows, (q, k, v, heads=) of (B, T, C).

    block_index, block_type "double" and grid_sizes (frames, h, w) in both calls.
    """
    from comfy.supported_models import WAN21_T2V

    form = dict(image_model="wan2.1", model_type="t2v", dim=48, ffn_dim=96, freq_dim=32, text_dim=48, text_len=32)
    return build(WAN21_T2V, form | dict(num_heads=4, num_layers=2, in_dim=16, out_dim=16))


@cache
def flux():
    """Flux: two double blocks, then two single ones, all joint over n text rows and then h * w image tokens.

    (q, k, v, heads, skip_reshape=True, mask=None) of (B, heads, T, D). block_type "double" or "single", block_index
    from 0 in each, img_slice [n, T] in single blocks only. Reference images follow the image.
    """
    from comfy.supported_models import Flux

    form = dict(image_model="flux", in_channels=16, out_channels=16, vec_in_dim=32, guidance_embed=True)
    return build(Flux, FLUX | form)


@cache
def chroma():
    """Chroma: attention as in Flux."""
    from comfy.supported_models import Chroma

    form = dict(image_model="chroma", in_channels=64, out_channels=64, vec_in_dim=0)
    return build(Chroma, FLUX | form | dict(in_dim=64, out_dim=64, hidden_dim=64, n_layers=1))


@cache
def sd3():
    """SD3: two joint blocks, text first. (q, k, v, heads=), q and k of (B, T, C) but v of (B, T, heads, D).

    `transformer_options` names neither block nor grid.
    """
    from comfy.supported_models import SD3 as Config

    return build(Config, SD3)


@cache
def sd35():
    """SD3.5 Medium: as SD3, and the first block has a second call over the image alone."""
    from comfy.supported_models import SD3 as Config

    return build(Config, SD3 | dict(x_block_self_attn_layers=[0]))


@cache
def qwen_image():
    """Qwen-Image: two joint blocks, text first. (q, k, v, heads, mask, skip_reshape=True) of (B, heads, T, D).

    mask is None, or (B, 1, T) where the conditioning has an attention_mask. block_index and block_type "double".
    """
    from comfy.supported_models import QwenImage

    form = dict(image_model="qwen_image", in_channels=64, out_channels=16, num_layers=2, attention_head_dim=16)
    return build(QwenImage, form | dict(num_attention_heads=4, joint_attention_dim=48, axes_dims_rope=(4, 6, 6)))


@cache
def lumina2():
    """Lumina 2: a refiner over the text, one over the image, then two joint blocks, text first; called as Qwen-Image's.

    Only the joint calls have block_index and block_type "double".
    """
    from comfy.supported_models import Lumina2

    return build(Lumina2, LUMINA | dict(n_kv_heads=2))


@cache
def z_image():
    """Z-Image's attention: as Lumina 2, but text and image are each padded at their end to a multiple of 32 tokens."""
    from comfy.supported_models import Lumina2

    return build(Lumina2, LUMINA | dict(n_kv_heads=4, pad_tokens_multiple=32, time_scale=1000.0))
