"""Transformers that make videos, some with sound."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from pack.tests.reach.families import drawn, tiny
from pack.tests.reach.images import KANDINSKY

DIT = dict(channels=16, context=48, rows=12, patch=2, video=True)
CELLS = dict(channels=128, context=48, rows=12, video=True)
HUNYUAN = dict(image_model="hunyuan_video", in_channels=16, out_channels=16, vec_in_dim=32, context_in_dim=48)
HUNYUAN |= dict(hidden_size=64, mlp_ratio=2.0, num_heads=4, depth=2, depth_single_blocks=2, axes_dim=[4, 6, 6])
HUNYUAN |= dict(theta=256, patch_size=[1, 2, 2], qkv_bias=True, guidance_embed=True, byt5=False, meanflow=False)
HUNYUAN |= dict(use_cond_type_embedding=False, vision_in_dim=None, meanflow_sum=False)
IMAGE21 = HUNYUAN | dict(in_channels=64, out_channels=64, vec_in_dim=None, patch_size=[1, 1], axes_dim=[8, 8])
IMAGE21 |= dict(byt5=True, guidance_embed=False)
VIDEO15 = HUNYUAN | dict(in_channels=65, out_channels=32, vec_in_dim=None, patch_size=[1, 1, 1], byt5=True)
VIDEO15 |= dict(use_cond_type_embedding=True, vision_in_dim=1152, meanflow_sum=True, guidance_embed=False)
LTXV = dict(image_model="ltxv", in_channels=128, cross_attention_dim=64, attention_head_dim=16, num_attention_heads=4)
LTXV |= dict(caption_channels=48, num_layers=2)
LTXAV = LTXV | dict(image_model="ltxav", audio_in_channels=128, audio_cross_attention_dim=32, caption_channels=64)
LTXAV |= dict(audio_attention_head_dim=8, audio_num_attention_heads=4, connector_attention_head_dim=16)
LTXAV |= dict(connector_num_attention_heads=4, connector_num_layers=1)
COGVIDEO = dict(image_model="cogvideox", num_attention_heads=4, attention_head_dim=16, in_channels=16, out_channels=16)
COGVIDEO |= dict(time_embed_dim=32, text_embed_dim=48, num_layers=2, use_rotary_positional_embeddings=True)
COGVIDEO |= dict(max_text_seq_length=226)
MINIMAX = dict(image_model="minimax_h3", hidden_size=64, num_layers=2, token_refiner_num_layers=1)
MINIMAX |= dict(num_attention_heads=4, attention_head_dim=16, ffn_hidden_size=64, text_dim=48, rope_inv_freq_len=2)
MINIMAX |= dict(timestep_input_dim=32, time_embed_hidden_size=32, time_embed_dim=32)

BYT5 = {"conditioning_byt5small": drawn(1, 5, 1472)}


def vision() -> SimpleNamespace:
    """What CLIP vision gives."""
    return SimpleNamespace(last_hidden_state=drawn(1, 7, 1152)(), penultimate_hidden_states=drawn(1, 7, 1152)())


MASK = {"attention_mask": lambda: torch.tensor([[1] * 9 + [0] * 3])}
CELL21 = dict(channels=64, context=48, rows=12, joint=True)
CELL15 = dict(channels=32, context=48, rows=12, joint=True, video=True, pooled=32)

REACH = {
    "hunyuan_video": tiny("HunyuanVideo", HUNYUAN, **DIT, joint=True, pooled=768),
    "hunyuan_video_i2v": tiny("HunyuanVideoI2V", HUNYUAN | dict(in_channels=33), **DIT, joint=True, pooled=768),
    "skyreels_i2v": tiny("HunyuanVideoSkyreelsI2V", HUNYUAN | dict(in_channels=32), **DIT, joint=True, pooled=768),
    "hunyuan_image21": tiny("HunyuanImage21", IMAGE21, **CELL21),
    "hunyuan_image21_byt5": tiny("HunyuanImage21", IMAGE21, **CELL21, extra=BYT5),
    "hunyuan_video15": tiny("HunyuanVideo15", VIDEO15, **CELL15),
    "hunyuan_video15_i2v": tiny("HunyuanVideo15", VIDEO15, **CELL15, extra=BYT5 | {"clip_vision_output": vision}),
    "ltxv": tiny("LTXV", LTXV, **CELLS, extra=MASK),
    "ltxav": tiny("LTXAV", LTXAV, **CELLS | dict(context=64)),
    "ltxav_sound": tiny("LTXAV", LTXAV, **CELLS | dict(context=64), sound=(8, 9, 16)),
    "minimax": tiny(
        "MiniMaxH3", MINIMAX, channels=24, context=48, rows=12, patch=2, video=True, joint=True, sound=(32, 2, 7)
    ),
    "cogvideox": tiny("CogVideoX_T2V", COGVIDEO, **DIT, joint=True),
    "cogvideox15": tiny("CogVideoX_T2V", COGVIDEO | dict(patch_size_t=2), **DIT, joint=True),
    "cogvideox_i2v": tiny("CogVideoX_I2V", COGVIDEO | dict(in_channels=32), **DIT, joint=True),
    "kandinsky5": tiny("Kandinsky5", KANDINSKY | dict(visual_embed_dim=132), **DIT, pooled=32),
}
