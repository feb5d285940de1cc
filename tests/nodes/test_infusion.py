"""The Infusion Bias node."""

import pytest
import torch
from pack.tests.patches.infusing import FAMILY, Explicit, close, draw, pictures, text
from pack.tests.patches.sharing import ShareExplicit

DEFAULTS = dict(weight=3.0, preset="all", mix="share", sites="", image_weights="", decay=1.0)
DEFAULTS |= dict(start_percent=0.0, end_percent=1.0, input="noised", text="positive", reuse=1, seed=0, align=False)
SOURCE = dict(weight=0.1, preset="down path", mix="add", input="clean")


def infuse(samples=None, **changed):
    from pack.nodes.infusion import InfusionBias

    latent = {"samples": pictures(2) if samples is None else samples}
    return InfusionBias.execute(FAMILY.model(), latent, **{**DEFAULTS, **changed}).result[0]


def test_defaults_share_in_all_self_attention(comfy):
    samples, model = pictures(2), FAMILY.model()
    explicit = draw(ShareExplicit(samples, {"": 3.0}).on(model), steps=4)
    assert close(draw(infuse(samples), steps=4), explicit, draw(model, steps=4))


def test_the_way_down_of_the_source(comfy):
    sites = dict.fromkeys(("in.3", "in.6", "in.9", "in.11"), 0.1)
    explicit = Explicit(pictures(2), sites, (text(),)).on(FAMILY.model())
    assert close(draw(infuse(**SOURCE), steps=4), draw(explicit, steps=4), draw(FAMILY.model(), steps=4))


def test_weight_0_is_the_unpatched_picture(comfy):
    plain = draw(FAMILY.model())
    assert torch.equal(draw(infuse(weight=0.0)), plain)
    assert torch.equal(draw(infuse(mask=torch.zeros(1, 128, 128))), plain)
    assert torch.equal(draw(infuse(start_percent=1.0)), plain)
    assert not torch.equal(draw(infuse()), plain)


def test_every_option_reaches_the_model(comfy):
    options = [dict(weight=0.2), dict(preset="middle"), dict(sites="in.3:2"), dict(image_weights="1, 0.5")]
    options += [dict(mix="blend"), dict(mix="adain"), dict(decay=0.9), dict(end_percent=0.5), dict(start_percent=0.1)]
    options += [dict(input="noised"), dict(input="noised", seed=1), dict(text="negative"), dict(text="each half")]
    options += [dict(reuse=2), dict(mask=torch.ones(1, 128, 128).tril())]
    outs = [draw(infuse(**{**SOURCE, **changed}), steps=3) for changed in ({}, *options)]
    share = [dict(align=True), dict(image_mask=torch.ones(1, 128, 128).tril()), dict(image_weights="1, 0.5")]
    share += [dict(seed=1), dict(input="clean"), dict(preset="up path"), dict(mask=torch.ones(1, 128, 128).tril())]
    outs += [draw(infuse(**changed), steps=3) for changed in ({}, *share)]
    assert not [(i, j) for i, a in enumerate(outs) for j, b in enumerate(outs[:i]) if torch.equal(a, b)]


def test_changed_positions_reach_the_model(comfy):
    with pytest.raises(
        ValueError,
        match=r"^Infusion Bias: In a model of the kind UNetModel the positions .* apart is 0\.5; set it to 0\.$",
    ):
        infuse(apart=0.5)
    with pytest.raises(ValueError, match=r"^Infusion Bias: .* cannot be changed, but style is 1; set it to 0\.$"):
        infuse(style=1.0)


def test_a_graph_from_before_share_runs_as_it_did(comfy):
    """It has no align, and its widgets name the mix."""
    from pack.nodes.infusion import InfusionBias

    old = {name: value for name, value in {**DEFAULTS, **SOURCE}.items() if name != "align"}
    model = InfusionBias.execute(FAMILY.model(), {"samples": pictures(2)}, **old).result[0]
    assert torch.equal(draw(model), draw(infuse(**SOURCE)))


@pytest.mark.parametrize(
    ("words", "expected"),
    [("", ()), ("1, 0.5", (1.0, 0.5)), (" -1 +2e-1,\n.5 3. ", (-1.0, 0.2, 0.5, 3.0)), (" , ", ())],
)
def test_image_weights(comfy, words, expected):
    from pack.nodes.infusion import numbers

    assert numbers(words) == expected


@pytest.mark.parametrize("wrong", ["x", "1,5x", "1.2.3", "nan", "inf", "²", "--1", "1e"])
def test_words_that_are_no_numbers(comfy, wrong):
    with pytest.raises(
        ValueError, match=r"' in image_weights is not a number from -1000 to 1000; write such as '.*'\.$"
    ):
        infuse(image_weights=f"1 {wrong}")


def test_a_wrong_site_is_refused_by_the_node(comfy):
    with pytest.raises(
        ValueError,
        match=r"^Infusion Bias: 'in\.12:0\.1' is no site of this model; it has in\.0-11, mid, out\.0-11, skip",
    ):
        infuse(**{**SOURCE, "sites": "in.12:0.1"})


def test_schema(comfy):
    from pack.nodes.infusion import NODES

    ((node, schema),) = [(node, node.define_schema()) for node in NODES]
    schema.validate()
    assert schema.node_id == "LM_InfusionBias" and schema.description
    assert schema.display_name == "Bias by Pictures (Infusion Bias)"
    assert schema.category == "latent manipulation/image bias" and schema.search_aliases
    assert [given.id for given in schema.inputs if given.id in DEFAULTS] == list(DEFAULTS)
    assert {given.id for given in schema.inputs} - set(DEFAULTS) == {
        "model",
        "latent",
        "mask",
        "apart",
        "style",
        "image_mask",
    }
    assert {given.id: given.default for given in schema.inputs if given.id in DEFAULTS} == DEFAULTS
    assert all(given.tooltip for given in [*schema.inputs, *schema.outputs])
    assert [given.id for given in schema.inputs if not given.advanced] == [
        "model",
        "latent",
        "weight",
        "preset",
        "mix",
        "mask",
    ]
