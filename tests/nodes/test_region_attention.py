"""The Region Attention node behind Track Phrases and the stock text encode node."""

import pytest
import torch
from pack.tests import tiny, tiny_unet
from pack.tests.patches.placing import Explicit, Told, close, left

DEFAULTS = dict(weight_function="spatial_control", apply_to="positive", std="per row")
DEFAULTS |= dict(start_percent=0.0, end_percent=1.0, blocks="")


@pytest.fixture(scope="module")
def encode(comfy):
    from pack.nodes.phrases import TrackPhrases

    import nodes

    (clip,) = TrackPhrases.execute(tiny.sd1()).result
    return lambda text: nodes.CLIPTextEncode().encode(clip, text)[0]


def place(regions, **changed):
    from pack.nodes.region_attention import RegionAttention

    return RegionAttention.execute(tiny_unet.sd1_unet(), regions, **{**DEFAULTS, **changed}).result[0]


def region(phrase="red dog", **options):
    from pack.attention.regions import Region

    return Region(phrase, left(), **{"strength": 1.0, "outside": 0.3, **options})


def test_phrase_of_a_long_weighted_prompt_equals_the_reference(comfy, encode):
    """154 tokens; the phrase in the second chunk, its words (red), (dog) and a comma in between are weighted."""
    positive, negative = encode("a beach, " * 26 + "and a (red:1.2) dog"), encode("red dog")
    text = positive[0][0]
    rows = (
        (text[0] != encode("a beach, " * 26 + "and a (blue:1.2) cat")[0][0][0]).any(-1).nonzero().flatten()[:2].tolist()
    )
    assert text.shape[1] == 154 and rows[0] > 77
    plain = tiny_unet.sample(tiny_unet.sd1_unet(), positive, negative, steps=2)
    told = Told(text, [(left(), tuple(rows), 1.0, 0.3)])
    explicit = tiny_unet.sample(Explicit(told).on(tiny_unet.sd1_unet()), positive, negative, steps=2)
    assert close(tiny_unet.sample(place((region(),)), positive, negative, steps=2), explicit, plain)


@pytest.mark.parametrize("changed", [dict(start_percent=1.0), dict(end_percent=0.0)])
def test_an_empty_window_is_the_unpatched_picture(comfy, encode, changed):
    positive, negative = encode("a red dog"), encode("")
    plain = tiny_unet.sample(tiny_unet.sd1_unet(), positive, negative, steps=2)
    assert torch.equal(tiny_unet.sample(place((region(),), **changed), positive, negative, steps=2), plain)
    assert not torch.equal(tiny_unet.sample(place((region(),)), positive, negative, steps=2), plain)


def test_every_option_reaches_the_model(comfy, encode):
    positive, negative = encode("a red dog"), encode("a red dog at night")
    options = [dict(weight_function=name) for name in ("paint_with_words", "dense_diffusion")]
    options += [
        dict(apply_to="negative"),
        dict(apply_to="both"),
        dict(std="joint"),
        dict(end_percent=0.5),
        dict(blocks="in.3"),
    ]
    outs = [tiny_unet.sample(place((region(),), **changed), positive, negative, steps=2) for changed in ({}, *options)]
    assert not any(torch.equal(a, b) for i, a in enumerate(outs) for b in outs[:i])


def test_schema(comfy):
    from pack.nodes.region_attention import NODES

    ((node, schema),) = [(node, node.define_schema()) for node in NODES]
    schema.validate()
    assert schema.node_id == "LM_RegionAttention" and schema.description
    assert schema.display_name == "Put Phrases in Regions (Region Attention)"
    assert schema.category == "latent manipulation/regions" and schema.search_aliases
    assert [given.id for given in schema.inputs] == ["model", "regions", *DEFAULTS, "conditioning"]
    assert {given.id: given.default for given in schema.inputs if given.id in DEFAULTS} == DEFAULTS
    assert all(given.tooltip for given in [*schema.inputs, *schema.outputs])
    assert [given.id for given in schema.inputs if not given.advanced][2:] == ["weight_function", "conditioning"]


def test_with_the_prompt_connected_a_phrase_is_looked_for_at_once(comfy, encode):
    """Off or not, the picture is the same; several prompts may share the phrases."""
    positive, negative = encode("a red dog"), encode("")
    for prompt in (positive, encode("a beach") + positive):
        patched = place((region(),), conditioning=prompt)
        with_it, without = (tiny_unet.sample(m, positive, negative, steps=2) for m in (patched, place((region(),))))
        assert torch.equal(with_it, without)
    with pytest.raises(ValueError, match="^Region Attention: The phrase 'red dog' is not in the prompt; use its words"):
        place((region(),), conditioning=encode("a blue cat"))
    with pytest.raises(ValueError, match="^Region Attention: The phrase 'red dog' stands 1 times in the prompt, but"):
        place((region(occurrence=2),), conditioning=positive)
    with pytest.raises(ValueError, match="^Region Attention: This conditioning does not say which words"):
        place((region(),), conditioning=[[positive[0][0], {}]])
    place((region(strength=0.0, outside=0.0),), conditioning=encode("a blue cat"))
