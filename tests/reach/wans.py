"""What is built on Wan."""

from __future__ import annotations

from types import SimpleNamespace

from pack.tests.reach.families import drawn, tiny

DIT = dict(channels=16, context=48, rows=12, patch=2, video=True)
WAN = dict(image_model="wan2.1", dim=48, ffn_dim=96, freq_dim=32, text_dim=48, text_len=32, num_heads=4, num_layers=2)
WAN |= dict(in_dim=16, out_dim=16)
VACE = WAN | dict(model_type="vace", vace_layers=1, vace_in_dim=96)
ANIMATE = WAN | dict(model_type="animate", in_dim=36, dim=64, motion_encoder_dim=512)
S2V = WAN | dict(model_type="s2v", audio_inject_layers=[0, 1], audio_dim=1024)
FUN = WAN | dict(model_type="i2v", in_dim=48, in_dim_ref_conv=16)
SEEN = {"clip_vision_output": lambda: SimpleNamespace(penultimate_hidden_states=drawn(1, 257, 1280)())}
FIVE = WAN | dict(model_type="t2v", in_dim=48, out_dim=48)

REACH = {
    "wan_vace": tiny("WAN21_Vace", VACE, **DIT),
    "wan_i2v": tiny("WAN21_I2V", WAN | dict(model_type="i2v", in_dim=36), **DIT),
    "wan_fun": tiny("WAN21_FunControl2V", FUN, **DIT),
    "wan_camera": tiny("WAN21_Camera", WAN | dict(model_type="camera", in_dim=32), **DIT),
    "wan_humo": tiny("WAN21_HuMo", WAN | dict(model_type="humo", in_dim=36), **DIT),
    "wan_animate": tiny("WAN22_Animate", ANIMATE, **DIT),
    "wan_s2v": tiny("WAN22_S2V", S2V, **DIT),
    "wan22_5b": tiny("WAN22_T2V", FIVE, **DIT | dict(channels=48)),
    "wan22_camera": tiny("WAN22_Camera", WAN | dict(model_type="camera_2.2", in_dim=36), **DIT),
    "wan_animate2": tiny("WAN_Animate2", WAN | dict(model_type="animate2", in_dim=36), **DIT),
    "wan_scail2": tiny("WAN21_SCAIL2", WAN | dict(model_type="scail2", in_dim=20), **DIT),
    "wan_i2v_seen": tiny("WAN21_I2V", WAN | dict(model_type="i2v", in_dim=36), **DIT, extra=SEEN),
    "wan_scail": tiny("WAN21_SCAIL", WAN | dict(model_type="scail", in_dim=20), **DIT),
}
