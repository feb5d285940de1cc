"""Nodes that show the model one tile at a time, and samplers that change the size of the whole picture."""

import pytest
import torch
from pack.tests.attending import conditioned
from pack.tests.patches.guiding import concept, edit
from pack.tests.patches.infusing import SMALL, biased, pictures
from pack.tests.patches.placing import place, region
from pack.tests.tiny_models import FAMILIES, sample

FAMILY = FAMILIES["sd1"]


def tiled(model, parts=2, side=3):
    """As TiledDiffusion: the model is called once for each part of x."""

    def wrapper(apply_model, given):
        x, t, c = given["input"], given["timestep"], given["c"]
        return torch.cat([apply_model(part, t, **c) for part in x.chunk(parts, side)], side)

    patched = model.clone()
    patched.set_model_unet_function_wrapper(wrapper)
    return patched


def draw(model, width=32, positive=None, **options):
    given = positive or FAMILY.conditioning(), FAMILY.conditioning("blurry")
    return sample(model, FAMILY.latent(1, 16, width), *given, **options)


def read(model):
    from pack.patches.capture import CaptureSettings, capture

    return capture(model, CaptureSettings(("red dog",)))[0]


def injected(model):
    from pack.patches.inject import InjectSettings, inject
    from pack.patches.run.window import Window

    settings = InjectSettings(Window(0.1, 0.9), count=1, phrase="red dog")
    return inject(model, torch.ones(1, 4, 16, 32), None, settings)[0]


NODES = {
    "Region Attention": lambda model: place(model, region()),
    "Attention Capture": read,
    "Infusion Bias": lambda model: biased(model, pictures(1, 16, 32), SMALL),
    "Semantic Guidance": lambda model: edit(model, concept(), mask="ledits"),
    "Latent Cache Inject": injected,
}


@pytest.mark.parametrize("side", [2, 3])
@pytest.mark.parametrize("node", NODES)
def test_tiles_are_refused(comfy, node, side):
    whole, tile = "16 x 32", "8 x 32" if side == 2 else "16 x 16"
    with pytest.raises(ValueError, match=f"^{node}: .* in tiles, .* {tile} of {whole} latent cells"):
        draw(NODES[node](tiled(FAMILY.model(), side=side)), steps=4)


@pytest.mark.parametrize("node", [name for name in NODES if name != "Latent Cache Inject"])
def test_one_tile_is_the_whole_picture(comfy, node):
    put = NODES[node]
    assert torch.equal(draw(put(tiled(FAMILY.model(), 1))), draw(put(FAMILY.model())))


@pytest.mark.parametrize("node", ["Region Attention", "Attention Capture", "Infusion Bias"])
@pytest.mark.parametrize("area", [(8, 16, 4, 0), (16, 12, 0, 24)])
def test_an_area_is_no_tile(comfy, node, area):
    """Also one that the host cuts at the picture's edge; a part of it is a tile."""
    positive = conditioned(FAMILY.conditioning(), area=area) + FAMILY.conditioning()
    put = NODES[node]
    assert draw(put(FAMILY.model()), positive=positive).isfinite().all()
    alone = conditioned(FAMILY.conditioning(), area=area)
    with pytest.raises(ValueError, match=f"^{node}: .* in tiles"):
        draw(put(tiled(FAMILY.model())), positive=alone, cfg=1.0)


def test_semantic_guidance_of_whole_predictions_works_in_tiles(comfy):
    """One step at CFG 1 and scale 0.5: half way from the tiled picture of the prompt to that of the concept."""
    model, few = tiled(FAMILY.model()), dict(steps=1, cfg=1.0)
    own, other = (draw(model, positive=FAMILY.conditioning(text), **few) for text in ("a cat", "a green beach"))
    out = draw(edit(model, concept(scale=0.5), mask="none"), positive=FAMILY.conditioning("a cat"), **few)
    untiled = draw(FAMILY.model(), positive=FAMILY.conditioning("a cat"), **few)
    size = (own - other).abs().max()
    assert (out - (own + other) / 2).abs().max() <= 1e-2 * size
    assert (untiled - own).abs().max() > size, "tiles change nothing here"


def growing(model, node, steps=3):
    """The host's SamplerLCMUpscale, to 24 x 24."""
    import comfy.samplers
    from comfy_extras.nodes_advanced_samplers import SamplerLCMUpscale

    sampler = SamplerLCMUpscale.execute(1.5, steps, "bislerp").result[0]
    guider = comfy.samplers.CFGGuider(node(model))
    guider.set_conds(FAMILY.conditioning(), FAMILY.conditioning("blurry"))
    guider.set_cfg(3.0)
    latent, noise = FAMILY.latent(), torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    return guider.sample(noise, latent, sampler, torch.tensor([14.6, 6.0, 2.0, 0.5, 0.0]), disable_pbar=True, seed=1)


def replayed(model):
    from pack.patches.replay import Guidance, replay

    return replay(model, Guidance((14.0, 1.0), torch.ones(2, 1, 4, 16, 16)), 1.0)


@pytest.mark.parametrize(
    "name, node", [("Semantic Guidance", lambda model: edit(model, concept())), ("Load Guidance", replayed)]
)
def test_guidance_needs_a_sampler_that_keeps_the_size(comfy, name, node):
    with pytest.raises(ValueError, match=f"^{name}: The sampler changes the size .*, from 16 x 16 to 19 x 19 latent"):
        growing(FAMILY.model(), node)


@pytest.mark.parametrize(
    "node", [NODES["Region Attention"], read, lambda model: biased(model, pictures(1, 16, 16), SMALL)]
)
def test_other_nodes_follow_a_size_that_changes(comfy, node):
    out = growing(FAMILY.model(), node)
    assert out.shape == (1, 4, 24, 24) and out.isfinite().all()
