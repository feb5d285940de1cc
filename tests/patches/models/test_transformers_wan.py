"""Wan: which call of a block looks at the text, and where references stand."""

from types import SimpleNamespace

import pytest
import torch
from pack.tests.attending import Calls, conditioned
from pack.tests.patches.models.test_families import captured, half
from pack.tests.patches.placing import PROMPT, place, region
from pack.tests.tiny_build import build
from pack.tests.tiny_models import FAMILIES, sample

WAN = dict(image_model="wan2.1", dim=48, ffn_dim=96, freq_dim=32, text_dim=48, text_len=32)
WAN |= dict(num_heads=4, num_layers=2, out_dim=16)


@pytest.mark.parametrize(("config", "kind"), [("WAN21_I2V", "i2v"), ("WAN_Animate2", "animate2")])
def test_an_image_to_video_model_is_biased_in_its_text_call_alone(comfy, config, kind):
    """With as many text rows as an image has (257), so that sizes tell nothing; and without an image at all."""
    import comfy.supported_models

    if not hasattr(comfy.supported_models, config):
        pytest.skip(f"this host has no {config}")
    model = build(getattr(comfy.supported_models, config), WAN | dict(model_type=kind, in_dim=36))
    latent, text = FAMILIES["wan"].latent(1, 16, 16), FAMILIES["wan"].conditioning(PROMPT, 257)
    for seen in ({}, {"clip_vision_output": SimpleNamespace(penultimate_hidden_states=torch.randn(1, 257, 1280))}):
        calls, positive = Calls(), conditioned(text, **seen)
        sample(place(calls.on(model), region("red dog", half(32, 32))), latent, positive, positive, 2, 1.0)
        assert [mask is not None for _, mask in calls.seen] == [False, False, True] * 4
        assert calls.masks[0].shape[2:] == (64, 257)
        assert calls.masks[0].any(2).nonzero()[:, -1].tolist() == [2, 3]


@pytest.mark.parametrize("kind", ["before", "after"])
def test_references_of_wan_are_left_alone(comfy, kind):
    from comfy.supported_models import WAN21_T2V

    late = dict(in_dim_ref_conv=16) if kind == "before" else {}
    model = build(WAN21_T2V, WAN | dict(model_type="t2v", in_dim=16), **late)
    latent, calls = FAMILIES["wan"].latent(1, 16, 12, frames=2), Calls()
    reference = torch.randn(1, 16, 1, 16, 12)
    extra = dict(reference_latents=[reference]) if kind == "before" else dict(time_dim_concat=reference)
    positive = conditioned(FAMILIES["wan"].conditioning(), **extra)
    sample(place(calls.on(model), region("red dog", half(32, 24))), latent, positive, positive, 1, 1.0)
    biased = calls.masks[0][0, 0, :, 2] != 0
    assert biased.shape == (3 * 48,)
    assert biased.tolist() == ([False] * 48 + [True] * 96 if kind == "before" else [True] * 96 + [False] * 48)
    reading, maps = captured(model)
    sample(reading, latent, positive, positive, 1, 1.0)
    assert maps.runs[0].layers["double.0"].shape[2:] == (8, 6)


@pytest.mark.parametrize(("references", "pose"), [(1, False), (2, True), (0, True)])
def test_references_and_pose_of_scail_are_left_alone(comfy, references, pose):
    import comfy.supported_models
    from pack.patches.models.layout import Layout
    from pack.patches.models.table import family_of

    if not hasattr(comfy.supported_models, "WAN21_SCAIL"):
        pytest.skip("this host has no WAN21_SCAIL")
    model = build(comfy.supported_models.WAN21_SCAIL, WAN | dict(model_type="scail", in_dim=20))
    latent, calls = FAMILIES["wan"].latent(1, 16, 12, frames=2), Calls()
    extra = dict(reference_latents=[torch.randn(1, 16, references, 16, 12)]) if references else {}
    extra |= dict(pose_video_latent=torch.randn(1, 16, 2, 8, 6)) if pose else {}
    positive = conditioned(FAMILIES["wan"].conditioning(), **extra)
    sample(place(calls.on(model), region("red dog", half(32, 24))), latent, positive, positive, 1, 1.0)
    biased = calls.masks[0][0, 0, :, 2] != 0
    assert biased.tolist() == [False] * 48 * references + [True] * 96 + [False] * 24 * pose
    network = model.model.diffusion_model
    given = {"reference_latent": torch.zeros(1, 20, references, 16, 12)} if references else {}
    layout = Layout(network, family_of(network), latent.shape, given)
    assert layout.picture(len(biased), 0, joint=False) == slice(48 * references, 48 * references + 96)
