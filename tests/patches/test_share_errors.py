"""What the mix 'share' does not know is refused in one sentence, when the node runs where that can be."""

import logging

import pytest
import torch
from pack.tests.patches.infusing import FAMILY, biased, draw, pictures
from pack.tests.patches.sharing import shared
from pack.tests.reach import REACH
from pack.tests.tiny_models import FAMILIES


@pytest.mark.parametrize("wrong", [{"weight": -0.5}, {"sites": "in.1:-0.5"}, {"images": (-0.5, 2.0)}])
def test_weights_below_0(comfy, wrong):
    said = r"^The mix 'share' takes no weight below 0, but -0\.5 was given; to push away .* the mix 'add'\.$"
    with pytest.raises(ValueError, match=said):
        shared(FAMILY.model(), pictures(2), **wrong)


def test_sites_without_self_attention(comfy):
    said = r"^There is no self-attention at these sites; for the mix 'share', this model has it in in\.1-2, in\.4-5, "
    with pytest.raises(ValueError, match=said):
        shared(FAMILY.model(), pictures(), sites="in.3:0.1, in.6:0.2")
    with pytest.raises(ValueError, match=r"^'skip\.1' is no site of this model; it has in\.0-8, mid, out\.0-11"):
        shared(FAMILY.model(), pictures(), sites="skip.1")
    with pytest.raises(ValueError, match=r"^The skips have no self-attention; choose another preset .* 'share'\.$"):
        shared(FAMILY.model(), pictures(), preset="skips")


@pytest.mark.parametrize(
    "given", [{"align": True}, {"apart": 1.0}, {"style": -0.5}, {"image_mask": torch.ones(1, 8, 8)}]
)
def test_inputs_of_this_mix_beside_another(comfy, given):
    from pack.patches.infuse import InfuseSettings, infuse

    settings = InfuseSettings(**{name: value for name, value in given.items() if name != "image_mask"})
    said = r"^align, apart, style and image_mask belong to the mix 'share'; choose it, or leave them out\.$"
    with pytest.raises(ValueError, match=said):
        infuse(FAMILY.model(), pictures(), None, settings, given.get("image_mask"))


def test_masks_for_another_number_of_pictures(comfy):
    said = r"^image_mask holds 3 pictures, but 2 were given; use one mask for all of them, or one for each\.$"
    with pytest.raises(ValueError, match=said):
        shared(FAMILY.model(), pictures(2), image_mask=torch.ones(3, 8, 8))
    with pytest.raises(ValueError, match=r"^Infusion Bias: The mask holds 3 pictures, but 2 are being sampled; "):
        draw(shared(FAMILY.model(), pictures(), mask=torch.ones(3, 8, 8)), batch=2)


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("wan_animate2", "WanAnimate2Model", "it is not known where in its blocks"),
        ("hydit", "HunYuanDiT", "its attention does not tell the host's hook which call it is in"),
    ],
)
def test_models_whose_self_attention_is_not_reached(comfy, name, kind, why):
    family = REACH[name]
    if not family.known:
        pytest.skip(f"this ComfyUI has no {family.config}")
    said = rf"^How the picture looks at itself cannot be reached in a model of the kind {kind}: {why}; choose .*'\.$"
    with pytest.raises(ValueError, match=said):
        shared(family.model(), family.latent())


@pytest.mark.parametrize(("name", "kind"), [("sd15", "UNetModel"), ("qwen_image", "QwenImageTransformer2DModel")])
def test_models_whose_positions_cannot_be_moved(comfy, name, kind):
    said = rf"^In a model of the kind {kind} the positions .* cannot be changed, but apart is 0\.5; set it to 0\.$"
    with pytest.raises(ValueError, match=said):
        shared(FAMILIES[name].model(), FAMILIES[name].latent(), apart=0.5)


@pytest.mark.parametrize(("name", "kind"), [("sd15", "UNetModel"), ("sd3", "OpenAISignatureMMDITWrapper")])
def test_models_whose_positions_do_not_rotate(comfy, name, kind):
    said = (
        rf"^In a model of the kind {kind} the positions of pictures cannot be changed, but style is -1; set it to 0\.$"
    )
    with pytest.raises(ValueError, match=said):
        shared(FAMILIES[name].model(), FAMILIES[name].latent(), style=-1.0)


def test_a_node_that_takes_all_self_attention_is_named(comfy, caplog):
    """Nothing could be shared, and the log says so."""

    def theirs(q, k, v, extra_options):
        return v

    model = FAMILY.model().clone()
    for kind, count in (("input", 12), ("middle", 1), ("output", 12)):
        for number in range(count):
            model.set_model_attn1_replace(theirs, kind, number)
    with caplog.at_level(logging.WARNING):
        assert torch.equal(draw(shared(model, pictures())), draw(model))
    assert "Infusion Bias: The model's self-attention was never met, so it did nothing" in caplog.text


def test_old_settings_know_nothing_of_it(comfy):
    """Without the mix, sites are those of features, and weights may be negative."""
    assert not torch.equal(draw(biased(FAMILY.model(), pictures(), {"in.3": -0.5})), draw(FAMILY.model()))


@pytest.mark.parametrize("align", [False, True])
def test_pictures_of_which_nothing_may_be_looked_at_are_told(comfy, caplog, align):
    """Also where only pictures without weight have a mask that is not black."""
    masks = torch.zeros(2, 64, 64)
    masks[1] = 1
    for given in ({"images": (1.0, 0.0), "image_mask": masks}, {"image_mask": masks[:1]}):
        caplog.clear()
        assert torch.equal(draw(shared(FAMILY.model(), pictures(2), align=align, **given)), draw(FAMILY.model()))
        assert "Infusion Bias: image_mask is black, so it did nothing" in caplog.text
