"""Transformers that make pictures."""

from __future__ import annotations

import torch
from pack.tests.reach.families import drawn, tiny
from pack.tests.tiny_families import FLUX, LUMINA

DIT = dict(channels=16, context=48, rows=12, patch=2, joint=True)
CELLS = dict(channels=128, context=48, rows=12, joint=True)
"""Tokens of one cell."""
PIXELS = dict(channels=3, context=48, rows=12, joint=True)
ROPE = dict(axes_dims_rope=(4, 6, 6))

FLUX2 = FLUX | dict(image_model="flux2", patch_size=1, in_channels=128, out_channels=128, vec_in_dim=None)
FLUX2 |= dict(txt_ids_dims=[3], axes_dim=[4, 4, 4, 4], global_modulation=True, mlp_silu_act=True, qkv_bias=False)
FLUX2 |= dict(ops_bias=False, default_ref_method="index", ref_index_scale=10.0)
FLUX1 = FLUX | dict(image_model="flux", in_channels=16, out_channels=16, vec_in_dim=32, guidance_embed=False)
QWEN = ROPE | dict(num_layers=2, attention_head_dim=16, num_attention_heads=4, in_channels=128)
QWEN_IMAGE = QWEN | dict(image_model="qwen_image", in_channels=64, out_channels=16, joint_attention_dim=48)
KREA = dict(image_model="krea2", features=64, tdim=32, txtdim=16, heads=4, kvheads=2, layers=2, patch=2, channels=16)
KREA |= dict(txtlayers=3, txtheads=2, txtkvheads=2, multiplier=2)
COSMOS = dict(max_img_h=64, max_img_w=64, max_frames=8, in_channels=16, out_channels=16, patch_spatial=2)
COSMOS |= dict(patch_temporal=1, concat_padding_mask=True, model_channels=64, num_blocks=2, num_heads=4)
COSMOS |= dict(crossattn_emb_channels=48, pos_emb_cls="rope3d", pos_emb_learnable=True, use_adaln_lora=True)
COSMOS |= dict(adaln_lora_dim=16)
AURA = dict(patch_size=2, dim=64, n_layers=4, n_double_layers=2, n_heads=4, cond_seq_dim=48, max_seq=256)
RADIANCE = FLUX | dict(image_model="chroma_radiance", in_channels=3, out_channels=3, in_dim=64, out_dim=64)
RADIANCE |= dict(hidden_dim=64, n_layers=1, vec_in_dim=0, patch_size=16, nerf_hidden_size=16, nerf_mlp_ratio=2)
RADIANCE |= dict(nerf_depth=1, nerf_max_freqs=2, nerf_tile_size=64, nerf_final_head_type="conv", use_x0=False)
RADIANCE |= dict(nerf_embedder_dtype=torch.float32)
Z_IMAGE = LUMINA | dict(n_kv_heads=4, pad_tokens_multiple=32, time_scale=1000.0)
Z_PIXEL = Z_IMAGE | dict(image_model="zimage_pixel", patch_size=32, in_channels=3, decoder_hidden_size=32)
Z_PIXEL |= dict(decoder_num_res_blocks=1, decoder_max_freqs=2, decoder_in_channels=3072)
OMNIGEN = dict(hidden_size=64, num_layers=2, num_refiner_layers=1, num_attention_heads=4, num_kv_heads=2)
OMNIGEN |= dict(multiple_of=16, axes_dim_rope=(4, 6, 6), timestep_scale=1000.0)
OMNIGEN2 = OMNIGEN | dict(image_model="omnigen2", axes_lens=(300, 64, 64), text_feat_dim=48)
BOOGU = OMNIGEN | dict(image_model="boogu", num_double_stream_layers=2, axes_lens=(2048, 64, 64))
BOOGU |= dict(instruction_feat_dim=48)
IDEOGRAM = dict(num_attention_heads=4, attention_head_dim=16, mrope_section=(4, 2, 2), intermediate_size=64)
IDEOGRAM |= dict(adaln_dim=32, llm_features_dim=48)
KANDINSKY = dict(image_model="kandinsky5", in_text_dim=48, in_text_dim2=32, time_dim=32, model_dim=64, ff_dim=64)
KANDINSKY |= dict(num_text_blocks=1, num_visual_blocks=2, axes_dims=(4, 6, 6), visual_embed_dim=64)
PIXELDIT = dict(image_model="pixeldit_t2i", num_groups=4, hidden_size=64, pixel_hidden_size=8, patch_depth=2)
PIXELDIT |= dict(pixel_attn_hidden_size=64, pixel_num_groups=4, pixel_depth=1, txt_embed_dim=48, txt_max_length=300)
LENS = QWEN | dict(image_model="lens", enc_hidden_dim=48, multi_layer_encoder_feature=False)
FILL = FLUX1 | dict(in_channels=96, guidance_embed=True)
LONGCAT = FLUX1 | dict(vec_in_dim=None, txt_ids_dims=[1, 2])
HIDREAM = ROPE | dict(image_model="hidream", patch_size=2, in_channels=16, out_channels=16, num_layers=2)
HIDREAM |= dict(num_single_layers=2, attention_head_dim=16, num_attention_heads=4, caption_channels=[40, 40])
HIDREAM |= dict(text_emb_dim=2048, num_routed_experts=2, num_activated_experts=1, max_resolution=(64, 64))
HIDREAM |= dict(llama_layers=[0, 1, 2, 3])
ERNIE = dict(image_model="ernie", hidden_size=64, num_attention_heads=4, num_layers=2, ffn_hidden_size=64)
ERNIE |= dict(text_in_dim=48, rope_axes_dim=(4, 6, 6))
PIXART = dict(image_model="pixart_sigma", input_size=64, pe_interpolation=1, patch_size=2, in_channels=4, depth=2)
PIXART |= dict(hidden_size=64, num_heads=4, caption_channels=48, micro_condition=False, model_max_length=300)
HYDIT = dict(image_model="hydit1", input_size=16, patch_size=2, in_channels=4, hidden_size=64, depth=4, num_heads=4)
HYDIT |= dict(mlp_ratio=2.0, text_states_dim=48, text_states_dim_t5=2048)
JOY = dict(image_model="joyimage", hidden_size=64, num_attention_heads=4, text_dim=48, num_layers=2)
JOY |= dict(mlp_width_ratio=2.0)


def radiance() -> dict:
    """With what newer hosts ask for."""
    from comfy.ldm.chroma_radiance.model import ChromaRadianceParams

    newer = {"use_sequential_txt_ids": False}
    return RADIANCE | {name: value for name, value in newer.items() if name in ChromaRadianceParams.__annotations__}


def refs(*shape: int):
    """A reference picture's latent."""
    return {"reference_latents": lambda: [drawn(1, *shape)()]}


ONES = {"attention_mask": lambda: torch.ones(1, 12, dtype=torch.long)}
ZERO = {"reference_latents_method": lambda: "index_timestep_zero"}
FILLED = {"concat_latent_image": drawn(1, 16, 16, 16), "concat_mask": drawn(1, 1, 128, 128)}
T5 = {"t5xxl_ids": lambda: torch.arange(12), "t5xxl_weights": lambda: torch.ones(12)}
MT5 = {"conditioning_mt5xl": drawn(1, 256, 2048), "attention_mask_mt5xl": lambda: torch.ones(1, 256)}
MT5 |= {"attention_mask": lambda: torch.ones(1, 77)}

REACH = {
    "flux_schnell": tiny("FluxSchnell", FLUX1, **DIT, pooled=32),
    "flux_fill": tiny("FluxInpaint", FILL, **DIT, pooled=32, extra=FILLED),
    "flux_kontext": tiny("Flux", FLUX1 | dict(guidance_embed=True), **DIT, pooled=32, extra=refs(16, 12, 8)),
    "longcat": tiny("LongCatImage", LONGCAT, **DIT),
    "flux2_dev": tiny("Flux2", FLUX2 | dict(guidance_embed=True), **CELLS),
    "flux2_klein": tiny("Flux2", FLUX2 | dict(guidance_embed=False), **CELLS),
    "flux2_refs": tiny("Flux2", FLUX2 | dict(guidance_embed=True), **CELLS, extra=refs(128, 6, 5)),
    "qwen_edit": tiny("QwenImage", QWEN_IMAGE, **DIT, video=True, extra=refs(16, 1, 12, 8)),
    "lens": tiny("Lens", LENS, **CELLS),
    "mage_flow": tiny("MageFlow", QWEN | dict(image_model="mage_flow", joint_attention_dim=48), **CELLS),
    "krea2": tiny("Krea2", KREA, **DIT),
    "krea2_refs": tiny("Krea2", KREA, **DIT, extra=refs(16, 12, 8) | ZERO),
    "cosmos_predict2": tiny(
        "CosmosT2IPredict2", COSMOS | dict(image_model="cosmos_predict2"), **DIT | dict(joint=False), video=True
    ),
    "cosmos_predict2_i2v": tiny(
        "CosmosI2VPredict2",
        COSMOS | dict(image_model="cosmos_predict2", in_channels=17),
        **DIT | dict(joint=False),
        video=True,
    ),
    "anima": tiny(
        "Anima",
        COSMOS | dict(image_model="anima", crossattn_emb_channels=1024),
        **DIT | dict(joint=False, context=1024),
        video=True,
        extra=T5,
    ),
    "aura": tiny("AuraFlow", AURA, **DIT | dict(channels=4)),
    "chroma_radiance": tiny("ChromaRadiance", radiance, **PIXELS, patch=16, side=128),
    "z_pixel": tiny("ZImagePixelSpace", Z_PIXEL, **PIXELS, patch=32, side=256),
    "z_image_refs": tiny("Lumina2", Z_IMAGE, **DIT, extra=refs(16, 16, 16)),
    "z_image_omni": tiny("Lumina2", Z_IMAGE | dict(siglip_feat_dim=24), **DIT, extra=refs(16, 16, 16)),
    "omnigen2": tiny("Omnigen2", OMNIGEN2, **DIT, extra=ONES),
    "omnigen2_refs": tiny("Omnigen2", OMNIGEN2, **DIT, extra=ONES | refs(16, 12, 8)),
    "boogu": tiny("Boogu", BOOGU, **DIT, extra=ONES),
    "boogu_refs": tiny("Boogu", BOOGU, **DIT, extra=ONES | refs(16, 12, 8)),
    "ideogram4": tiny("Ideogram4", dict(image_model="ideogram4", in_channels=128, num_layers=2), IDEOGRAM, **CELLS),
    "joyimage": tiny("JoyImage", JOY, dict(rope_dim_list=[4, 6, 6]), **DIT, video=True),
    "kandinsky5_image": tiny("Kandinsky5Image", KANDINSKY, **DIT | dict(joint=False), pooled=32),
    "pixeldit": tiny("PixelDiTT2I", PIXELDIT, **PIXELS, patch=16, side=128),
    "hidream": tiny(
        "HiDream",
        HIDREAM,
        **DIT | dict(context=40),
        pooled=2048,
        extra={"conditioning_llama3": drawn(1, 4, 9, 40)},
    ),
    "ernie": tiny("ErnieImage", ERNIE, **CELLS),
    "pixart": tiny("PixArtSigma", PIXART, **DIT | dict(joint=False, channels=4), side=64),
    "hydit": tiny("HunyuanDiT1", HYDIT, **DIT | dict(joint=False, channels=4, rows=77), extra=MT5),
}
