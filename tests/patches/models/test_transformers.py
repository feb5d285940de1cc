"""What else stands among a transformer's tokens: areas, references, frames, masks, skipped blocks."""

import pytest
import torch
from pack.tests.attending import Calls, Placed, conditioned
from pack.tests.patches.models.test_families import FLOW, captured, half
from pack.tests.patches.placing import close, place, region
from pack.tests.tiny_models import FAMILIES, sample


def equal(view: Placed, model, latent, positive, negative, *regions, cfg: float = 3.0) -> bool:
    plain = sample(model, latent, positive, negative, cfg=cfg)
    explicit = sample(view.on(model), latent, positive, negative, cfg=cfg)
    assert view.seen, "the reference met no attention call it knows"
    return close(sample(place(model, *regions), latent, positive, negative, cfg=cfg), explicit, plain)


def cut(mask: torch.Tensor, top: int, left: int, height: int, width: int) -> torch.Tensor:
    """Of a mask of 8 pixels per latent cell."""
    return mask[:, 8 * top : 8 * (top + height), 8 * left : 8 * (left + width)]


@pytest.mark.parametrize("name", ["sd15", "sdxl", "wan", "flux", "sd3", "z_image"])
@pytest.mark.parametrize("area", [(12, 10, 4, 6), (12, 32, 8, 0)], ids=["inside", "past the edge"])
def test_an_area_gets_its_part_of_the_mask(comfy, name, area):
    family = FAMILIES[name]
    latent, (h, w, y, x) = family.latent(1, 18, 16), area
    h, w = min(h, 18 - y), min(w, 16 - x)
    mask = torch.zeros(1, 144, 128)
    mask[:, :104, :72] = 1
    positive = conditioned(family.conditioning(), area=area)
    view = Placed(name, (*latent.shape[2:-2], h, w), flow=name in FLOW)
    view.regions = ((cut(mask, y, x, h, w), (2, 3), 0.4, 0.1),)
    asked = region("red dog", mask, 0.4, 0.1)
    assert equal(view, family.model(), latent, [*positive], family.conditioning("blurry"), asked)


@pytest.mark.parametrize("name", ["flux", "qwen_image"])
def test_reference_pictures_stay_as_they_are(comfy, name):
    family = FAMILIES[name]
    latent, mask = family.latent(1, 17, 13), half(34, 26)
    references = [torch.randn(1, 16, *[1] * family.video, size, 8) for size in (8, 12)]
    positive = conditioned(family.conditioning(), reference_latents=references)
    view = Placed(name, tuple(latent.shape[2:]), after=16 + 24, regions=((mask, (2, 3), 0.4, 0.1),), flow=True)
    asked = region("red dog", mask, 0.4, 0.1)
    assert equal(view, family.model(), latent, positive, family.conditioning("blurry"), asked)


@pytest.mark.parametrize("name", ["wan", "qwen_image"])
def test_every_frame_gets_the_mask(comfy, name):
    family = FAMILIES[name]
    latent, mask = family.latent(1, 17, 13, frames=3), half(34, 26)
    view = Placed(name, tuple(latent.shape[2:]), regions=((mask, (2, 3), 0.4, 0.1),), flow=True)
    asked = region("red dog", mask, 0.4, 0.1)
    assert equal(view, family.model(), latent, family.conditioning(), family.conditioning("blurry"), asked)


@pytest.mark.parametrize("name", ["wan", "qwen_image"])
def test_every_frame_of_a_context_window_gets_the_mask(comfy, name):
    """Two windows of four frames over six."""
    from comfy_extras.nodes_context_windows import ContextWindowsManualNode

    family = FAMILIES[name]
    latent, mask = family.latent(1, 17, 13, frames=6), half(34, 26)
    window = dict(context_length=4, context_overlap=2, context_schedule="standard_static", context_stride=1, dim=2)
    window |= dict(closed_loop=False, fuse_method="pyramid", freenoise=False)
    model = ContextWindowsManualNode.execute(family.model(), **window).args[0]
    model.model_options["context_handler"].causal_window_fix = False  # the second window would have five frames
    view = Placed(name, (4, 17, 13), regions=((mask, (2, 3), 0.4, 0.1),), flow=True)
    asked = region("red dog", mask, 0.4, 0.1)
    assert equal(view, model, latent, family.conditioning(), family.conditioning("blurry"), asked)


def test_the_mask_of_qwens_encoder_stays(comfy):
    family = FAMILIES["qwen_image"]
    latent, mask = family.latent(1, 17, 13), half(34, 26)
    positive = conditioned(family.conditioning(), attention_mask=torch.tensor([[1] * 9 + [0] * 3]))
    bare = sample(family.model(), latent, *[family.conditioning()] * 2, cfg=1.0)
    assert not torch.equal(sample(family.model(), latent, positive, positive, cfg=1.0), bare)
    view = Placed("qwen_image", tuple(latent.shape[2:]), regions=((mask, (2, 3), 0.4, 0.1),), flow=True)
    asked = region("red dog", mask, 0.4, 0.1)
    assert equal(view, family.model(), latent, positive, positive, asked, cfg=1.0)
    calls = Calls()
    sample(place(calls.on(family.model()), asked), latent, positive, positive, 1, 1.0)
    assert (calls.masks[0][..., 9:12] < -1e38).all()


def test_tokens_that_a_style_model_puts_before_the_text_are_refused(comfy):
    """As the host's USO style projector does."""

    def prepend(args):
        width = args["txt"].shape[2]
        ids = torch.cat([args["txt_ids"][:, :5], args["txt_ids"]], 1)
        return {**args, "txt": torch.cat([torch.ones(len(args["txt"]), 5, width), args["txt"]], 1), "txt_ids": ids}

    family = FAMILIES["flux"]
    model, latent, positive = family.model().clone(), family.latent(1, 18, 16), family.conditioning()
    model.set_model_post_input_patch(prepend)
    sample(model, latent, positive, positive, 1)
    for patched in (place(model, region()), captured(model)[0]):
        with pytest.raises(ValueError, match="another node adds tokens of its own"):
            sample(patched, latent, positive, positive, 1)


@pytest.mark.parametrize("name", ["sd3", "sd35"])
def test_sd3_blocks_are_known_also_where_a_guidance_skips_some(comfy, name):
    """The host's SkipLayerGuidanceDiT looks again without block 0: what then runs first is still block 1."""
    from comfy_extras.nodes_slg import SkipLayerGuidanceDiT

    family, calls = FAMILIES[name], Calls()
    latent, positive, negative = family.latent(1, 18, 16), family.conditioning(), family.conditioning("blurry")
    guide = dict(double_layers="0", single_layers="", scale=3.0, start_percent=0.0, end_percent=1.0)
    model = SkipLayerGuidanceDiT.execute(calls.on(family.model()), **guide, rescaling_scale=0.0).args[0]
    plain = sample(model, latent, positive, negative, 1)
    calls.seen.clear()
    hooks = calls.watch(family.model().model.diffusion_model.joint_blocks)
    calls.true.clear()
    placed = place(model, region(strength=0.5), blocks="joint.1")
    assert not torch.equal(sample(placed, latent, positive, negative, 1), plain)
    for hook in hooks:
        hook.remove()
    assert calls.true.count(1) > calls.true.count(0) / (2 if name == "sd35" else 1)
    assert [mask is not None for _, mask in calls.seen] == [i == 1 for i in calls.true]


def test_a_replace_that_stands_at_an_sd3_block_still_runs(comfy):
    ran, family = [], FAMILIES["sd3"]
    model, latent, positive = family.model().clone(), family.latent(1, 18, 16), family.conditioning()

    def theirs(args, extra):
        ran.append(1)
        return extra["original_block"](args)

    model.set_model_patch_replace(theirs, "dit", "double_block", 1)
    regions = region(strength=0.5)
    ours = sample(place(model, regions), latent, positive, positive, 1)
    assert ran == [1]
    assert torch.equal(ours, sample(place(family.model(), regions), latent, positive, positive, 1))


@pytest.mark.parametrize("name, chosen", [("flux", "single.1"), ("chroma", "double.0"), ("wan", "double.1")])
def test_a_block_list_chooses_among_blocks_of_one_number(comfy, name, chosen):
    family, calls = FAMILIES[name], Calls()
    latent, positive = family.latent(1, 18, 16), family.conditioning()
    sample(place(calls.on(family.model()), region(), blocks=chosen), latent, positive, positive, 1, 1.0)
    assert {block for block, mask in calls.seen if mask is not None} == {chosen}
    with pytest.raises(ValueError, match=r"Block 'in\.4' is not in this model; it has double\.0-1"):
        place(family.model(), region(), blocks="in.4")
