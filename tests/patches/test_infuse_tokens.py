"""InfusionBias in transformers equals a pass of each picture by hand, in every family."""

import pytest
import torch
from pack.tests.patches.infusing import biased, close
from pack.tests.patches.infusing_tokens import FAMILIES, LISTS, NEW, TokenExplicit, every
from pack.tests.patches.test_beside_nodes import CACHES
from pack.tests.patches.test_infuse import blended, normalised
from pack.tests.tiny_models import sample

LONGER = 15
"""Rows of the negative prompt: the two halves are then called one after the other."""


@pytest.fixture(autouse=True)
def known(comfy, request):
    """Skips what this host does not know."""
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    if name in NEW and not FAMILIES[name].known:
        pytest.skip(f"this ComfyUI has no {FAMILIES[name].config}")


def pictures(name: str, count: int = 2, height: int = 16, width: int = 16, frames: int = 1):
    latent = FAMILIES[name].latent(count, height, width, frames)
    return torch.randn(latent.shape, generator=torch.Generator().manual_seed(5))


def draw(
    model, name: str, size=(16, 16), frames: int = 1, batch: int = 1, rows: int | None = None, steps: int = 2, **values
):
    """values: of the positive conditioning."""
    family = FAMILIES[name]
    positive = [[text, {**options, **values}] for text, options in family.conditioning()]
    return sample(
        model, family.latent(batch, *size, frames=frames), positive, family.conditioning("blurry", rows), steps
    )


def same(name: str, explicit: TokenExplicit, settings: dict | None = None, **how) -> None:
    model = FAMILIES[name].model()
    ours = draw(biased(model, explicit.samples, explicit.sites, explicit.mask, **settings or {}), name, **how)
    reference = explicit.on(model, lambda patched: draw(patched, name, **how))
    assert close(ours, draw(reference, name, **how), draw(model, name, **how))


@pytest.mark.parametrize("name", LISTS)
def test_every_family_at_all_its_blocks(comfy, name):
    same(name, TokenExplicit(name, pictures(name), every(name)))


@pytest.mark.parametrize("name", LISTS)
def test_texts_of_other_lengths_odd_sizes_and_a_batch(comfy, name):
    explicit = TokenExplicit(name, pictures(name, 1, 15, 18), every(name))
    same(name, explicit, size=(15, 18), rows=LONGER, batch=2)


@pytest.mark.parametrize("name", ["wan", "flux", "lumina2"])
@pytest.mark.parametrize(("mix", "formula"), [("blend", blended), ("adain", normalised)])
def test_mixes(comfy, name, mix, formula):
    same(name, TokenExplicit(name, pictures(name), every(name), formula), {"mix": mix})


@pytest.mark.parametrize("name", ["wan", "chroma", "z_image"])
def test_under_a_mask(comfy, name):
    mask = torch.zeros(1, 128, 128)
    mask[:, 20:90, 30:60] = 0.7
    same(name, TokenExplicit(name, pictures(name), every(name), mask=mask))


def test_a_video_and_its_mask_in_every_frame(comfy):
    mask = torch.zeros(1, 128, 128)
    mask[:, :, :64] = 1
    explicit = TokenExplicit("wan", pictures("wan", 1, frames=3), every("wan"), mask=mask)
    same("wan", explicit, frames=3)


@pytest.mark.parametrize("name", ["flux", "flux2", "qwen_image", "mage_flow"])
def test_tokens_of_a_reference_picture_are_left_alone(comfy, name):
    """The positive prompt alone has one: both halves are biased where the picture is."""
    reference = torch.randn(pictures(name, 1, 12, 8).shape, generator=torch.Generator().manual_seed(7))
    same(name, TokenExplicit(name, pictures(name), every(name)), reference_latents=[reference])


def test_a_still_latent_of_four_dimensions_is_a_video_of_one_frame(comfy):
    model, given = FAMILIES["wan"].model(), pictures("wan")
    assert torch.equal(
        draw(biased(model, given[:, :, 0], every("wan")), "wan"), draw(biased(model, given, every("wan")), "wan")
    )


@pytest.mark.parametrize("name", LISTS)
def test_off_changes_no_bit_and_leaves_nothing_behind(comfy, name):
    from pack.patches.run.window import Window

    model, samples = FAMILIES[name].model(), pictures(name)
    plain = draw(model, name)
    mask = torch.zeros(1, 128, 128)
    for off in ({"weight": 0.0}, {"window": Window(0.5, 0.5)}, {"window": Window(0.5, 0.6)}):
        assert torch.equal(draw(biased(model, samples, every(name), **off), name), plain)
    assert torch.equal(draw(biased(model, samples, every(name), mask), name), plain)
    patched = biased(model, samples, every(name))
    assert torch.equal(draw(patched, name), draw(patched, name))
    assert torch.equal(draw(model, name), plain)


@pytest.mark.parametrize("name", ["flux", "sd3", "wan", "qwen_image"])
def test_beside_a_node_that_replaced_a_block(comfy, name):
    """Its block acts on what the model's own block hands on, biased, and not on the biasing pictures."""
    place = ("double_block", 1)

    def halved(args, extra):
        out = extra["original_block"](args)
        return {**out, "img": 0.5 * out["img"]}

    model, kind = FAMILIES[name].model(), next(iter(LISTS[name]))
    theirs = model.clone()
    theirs.set_model_patch_replace(halved, "dit", *place)
    ours_first = biased(model, pictures(name), {f"{kind}.1": 0.3})
    ours_first.set_model_patch_replace(halved, "dit", *place)
    after = draw(biased(theirs, pictures(name), {f"{kind}.1": 0.3}), name)
    explicit = TokenExplicit(name, pictures(name), {f"{kind}.1": 0.3}, mix=lambda h, g, w: 0.5 * (h + w * g))
    assert close(after, draw(explicit.on(model, lambda patched: draw(patched, name)), name), draw(theirs, name))
    assert torch.equal(draw(ours_first, name), after)


@pytest.mark.parametrize("name", ["flux", "lumina2", "sd3"])
def test_regions_act_on_the_picture_alone_in_both_orders(comfy, name):
    from pack.attention.regions import Region
    from pack.patches.regions import RegionSettings, place_regions

    mask = torch.zeros(1, 16, 16)
    mask[:, :8] = 1
    regions, model = (Region("red dog", mask, 1.0),), FAMILIES[name].model()
    placed = place_regions(model, regions, RegionSettings())
    ours = draw(biased(placed, pictures(name), every(name)), name)
    reference = TokenExplicit(name, pictures(name), every(name)).on(placed, lambda patched: draw(patched, name))
    assert close(ours, draw(reference, name), draw(placed, name))
    behind = place_regions(biased(model, pictures(name), every(name)), regions, RegionSettings())
    assert torch.equal(draw(behind, name), ours)


@pytest.mark.parametrize("cache", CACHES)
def test_a_cache_that_skips_steps_holds_the_picture_alone(comfy, cache):
    model, steps = CACHES[cache](FAMILIES["flux"].model()), {"steps": 5}
    ours = draw(biased(model, pictures("flux"), every("flux")), "flux", **steps)
    reference = TokenExplicit("flux", pictures("flux"), every("flux")).on(model, lambda m: draw(m, "flux", **steps))
    assert close(ours, draw(reference, "flux", **steps), draw(model, "flux", **steps))
    behind = CACHES[cache](biased(FAMILIES["flux"].model(), pictures("flux"), every("flux")))
    assert torch.equal(draw(behind, "flux", **steps), ours)


def test_a_pass_ends_where_the_last_features_are(comfy):
    """The last block sees the biasing pictures only where its features are asked for."""
    model, seen = FAMILIES["flux"].model(), []
    hook = model.model.diffusion_model.single_blocks[-1].register_forward_pre_hook(
        lambda _, args: seen.append(len(args[0]))
    )
    for sites in ({"double.0": 0.3}, {"double.0": 0.3, "single.1": 0.1}):
        draw(biased(model, pictures("flux"), sites), "flux", rows=LONGER)
    hook.remove()
    assert seen == [1, 1] * 2 + [2, 1, 1] * 2  # in two steps, two biasing pictures, then each half


@pytest.mark.parametrize("name", ["flux", "wan"])
def test_two_nodes_are_one_with_the_sum_of_their_weights(comfy, name):
    """What a node records is of the plain model, also where another node acts around it."""
    model, samples, site = FAMILIES[name].model(), pictures(name), f"{next(iter(LISTS[name]))}.0"
    both = biased(biased(model, samples, {site: 0.1}), samples, {site: 0.2})
    once = biased(model, samples, {site: 0.3})
    assert close(draw(both, name), draw(once, name), draw(model, name))
