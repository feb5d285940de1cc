"""U-Nets that take more than a text."""

from __future__ import annotations

from pack.tests.reach.families import drawn, tiny
from pack.tests.tiny_unet import CONTEXT, FORM

XL = {**FORM, "use_linear_in_transformer": True, "context_dim": 80, "transformer_depth": [0, 2]}
XL |= {"transformer_depth_output": [0, 0, 2, 2], "transformer_depth_middle": 2, "num_classes": "sequential"}
INPAINT = {"concat_latent_image": drawn(1, 4, 16, 16), "concat_mask": drawn(1, 1, 128, 128)}
SD = dict(channels=4, context=CONTEXT, rows=77)
SDXL = dict(channels=4, context=80, rows=77, patch=2, pooled=1280)
HEADS = dict(num_head_channels=16)

REACH = {
    "sdxl_refiner": tiny("SDXLRefiner", XL | {"adm_in_channels": 2560}, HEADS, **SDXL),
    "sdxl_inpaint": tiny("SDXL", XL | {"in_channels": 9, "adm_in_channels": 2816}, HEADS, **SDXL, extra=INPAINT),
    "sd15_inpaint": tiny("SD15", {**FORM, "in_channels": 9}, dict(num_heads=4), **SD, extra=INPAINT),
    "sd15_ip2p": tiny(
        "SD15_instructpix2pix",
        {**FORM, "in_channels": 8},
        dict(num_heads=4),
        **SD,
        extra={"concat_latent_image": drawn(1, 4, 16, 16)},
    ),
}
