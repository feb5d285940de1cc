"""The Region Canvas node: what comes out of a drawing."""

import json

import pytest
import torch

DOG = {"phrase": "red dog", "box": [0, 0, 0.5, 1], "strength": 0.7, "outside": 0.1, "focus": 1.2, "colour": "#e03030"}
CAT = {"phrase": "blue cat", "ellipse": [0.5, 0, 0.5, 1]}


@pytest.fixture
def node(comfy):
    from pack.nodes.region_canvas import RegionCanvas

    return RegionCanvas


@pytest.fixture(scope="module")
def conditioning(comfy):
    from pack.demo.model import load
    from pack.tests.patches.tracked import encode, track

    return [encode(track(load()[1]), "a red star and a red circle")]


@pytest.fixture
def temp(tmp_path):
    import folder_paths

    before = folder_paths.get_temp_directory()
    folder_paths.set_temp_directory(str(tmp_path))
    yield tmp_path
    folder_paths.set_temp_directory(before)


def run(node, *regions, width=64, height=32, **more):
    return node.execute(json.dumps({"regions": regions}), width, height, **more)


def test_each_region_has_its_phrase_numbers_and_mask(node):
    regions, masks, preview = run(node, DOG, CAT).result
    one, two = regions
    assert (one.phrase, one.strength, one.outside, one.focus, one.colour) == ("red dog", 0.7, 0.1, 1.2, (224, 48, 48))
    assert (two.phrase, two.strength, two.outside, two.focus, two.colour) == ("blue cat", 0.5, 0, 0, None)
    assert masks.shape == (2, 32, 64) and torch.equal(one.mask, masks[:1]) and torch.equal(two.mask, masks[1:])
    assert torch.equal(masks[0], torch.cat([torch.ones(32, 32), torch.zeros(32, 32)], 1))
    assert preview.shape[0] == 1 and preview.shape[2] == 256 and preview.shape[1] > 128  # enlarged, with a legend


def test_no_region_is_neutral(node):
    regions, masks, preview = run(node).result
    assert regions == () and torch.equal(masks, torch.zeros(1, 32, 64)) and preview.shape == (1, 32, 64, 3)
    assert node.execute("", 64, 32).result[0] == ()


def test_no_region_leaves_a_sampling_as_it_was(node):
    from pack.nodes.region_attention import RegionAttention
    from pack.tests import tiny_unet

    model, text = (
        tiny_unet.sd1_unet(),
        [[torch.randn(1, 77, tiny_unet.CONTEXT, generator=torch.Generator().manual_seed(1)), {}]],
    )
    how = ("spatial_control", "positive", "per row", 0.0, 1.0, "")
    patched = RegionAttention.execute(model, run(node).result[0], *how).result[0]
    plain = tiny_unet.sample(tiny_unet.sd1_unet(), text, text, steps=2)
    assert torch.equal(tiny_unet.sample(patched, text, text, steps=2), plain)


def test_chained_regions_come_first_and_have_no_mask_of_ours(node):
    first = run(node, DOG, width=16, height=16).result[0]
    regions, masks, _ = run(node, CAT, regions=first).result
    assert [region.phrase for region in regions] == ["red dog", "blue cat"] and masks.shape == (1, 32, 64)


@pytest.mark.parametrize(
    ("given", "size"),
    [
        (dict(latent={"samples": torch.zeros(1, 4, 6, 10)}), (48, 80)),
        (dict(latent={"samples": torch.zeros(1, 4, 6, 10), "downscale_ratio_spacial": 16}), (96, 160)),
        (dict(latent={"samples": torch.zeros(1, 16, 5, 6, 10)}), (48, 80)),
        (dict(latent={"samples": torch.zeros(1, 128, 6, 10)}), (96, 160)),  # Flux.2
        (dict(image=torch.rand(2, 40, 30, 3), latent={"samples": torch.zeros(1, 4, 6, 10)}), (40, 30)),
    ],
)
def test_the_size_is_the_images_else_the_latents(node, temp, given, size):
    assert run(node, DOG, **given).result[1].shape == (1, *size)


def test_the_preview_and_the_editor_show_the_image(node, temp):
    from PIL import Image

    image = torch.full((1, 200, 300, 4), 0.2)
    out = run(node, image=image)
    assert torch.equal(out.result[2], image[..., :3])
    (shown,) = out.ui["lm_picture"]
    assert Image.open(temp / shown["subfolder"] / shown["filename"]).size == (300, 200)
    assert run(node).ui is None


def test_phrases_are_looked_for_at_once(node, conditioning):
    run(node, {**DOG, "phrase": "red star"}, conditioning=conditioning)
    with pytest.raises(ValueError, match="Region Canvas.*'red dog' is not in the prompt"):
        run(node, DOG, conditioning=conditioning)


def test_errors_name_the_node_and_the_region(node):
    with pytest.raises(ValueError, match="Region Canvas.*Region 2: it has no phrase"):
        run(node, DOG, {**CAT, "phrase": ""})


def test_schema(node):
    schema = node.GET_SCHEMA()
    drawing = schema.inputs[0]
    assert drawing.as_dict()["widgetType"] == "LM_REGION_CANVAS" and drawing.get_io_type() == "STRING"
    assert schema.category == "latent manipulation/regions"
