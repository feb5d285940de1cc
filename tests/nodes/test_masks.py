"""The mask nodes on TinyScenes: they find what is drawn, in the size asked for."""

import pytest
import torch
from pack.tests.reach import REACH
from pack.tests.tiny_models import FAMILIES, sample

PROMPT = "a red circle left of a blue star on a beach"


@pytest.fixture(scope="module")
def scene(comfy):
    """model, conditioning, latent of two pictures (circle and star, then the circle alone), IMAGE, true masks."""
    from pack.demo.model import load
    from pack.demo.scenes import Scene, Thing, render
    from pack.patches.run.track import track_phrases

    model, clip, vae = load()
    clip = track_phrases(clip)
    things = (Thing("circle", "red", False, 36, 60, 24), Thing("star", "blue", False, 92, 66, 24))
    drawn = [render(Scene(things[:count], "beach", "", "left of", 5)) for count in (2, 1)]
    image = torch.stack([torch.from_numpy(picture) for picture, _ in drawn])
    conditioning = clip.encode_from_tokens_scheduled(clip.tokenize(PROMPT))
    return model, conditioning, {"samples": vae.encode(image)}, image, torch.from_numpy(drawn[0][1]) > 0.5


def defaults(node, **changes):
    """Values of the node's widgets, as the frontend would send them."""
    given = {i.id: i.default for i in node.GET_SCHEMA().inputs if getattr(i, "default", None) is not None}
    return {**given, **changes}


def find(scene, phrase="red circle\nblue star", **changes):
    from pack.nodes.masks import SubjectMaskFromAttention as Node

    model, conditioning, latent, *_ = scene
    given = defaults(Node, **{"phrase": phrase, **changes})
    return Node.execute(model=model, conditioning=conditioning, latent=given.pop("latent", latent), **given).result


def iou(mask, truth):
    mask = mask > 0.5
    return float((mask & truth).sum() / (mask | truth).sum())


def test_the_mask_is_where_the_phrase_is_and_empty_where_it_is_not(scene):
    circle, star = scene[4]
    mask, heat, presence = find(scene, combine="each")
    assert mask.shape == (4, 128, 128) and heat.shape == (4, 128, 128, 3)
    assert iou(mask[0], circle) > 0.75 and iou(mask[1], circle) > 0.75 and iou(mask[2], star) > 0.6
    assert not mask[3].any()
    assert torch.equal(find(scene)[0], torch.maximum(mask[:2], mask[2:]))
    each = [find(scene, phrase)[2] for phrase in ("red circle", "blue star")]
    assert presence == pytest.approx(sum(each) / 2) and each[0] > each[1] > 0.12


def test_a_missing_phrase_alone_has_no_presence(scene):
    only = {"samples": scene[2]["samples"][1:]}
    mask, heat, presence = find(scene, "blue star", latent=only)
    assert presence < 0.12 and not mask.any()
    assert find(scene, "blue star", latent=only, always_mask=True)[0].any()
    assert find(scene, "blue star", latent=only, found=0.0)[0].any()


@pytest.mark.parametrize("size", [(64, 96), (131, 77)])
def test_the_mask_has_the_size_of_the_image_else_of_the_decoded_latent(scene, size):
    image = torch.rand(2, *size, 3)
    mask, heat, _ = find(scene, image=image)
    assert mask.shape == (2, *size) and heat.shape == (2, *size, 3)
    mask, heat, _ = find(scene, latent={"samples": scene[2]["samples"][:1, :, :13]})
    assert mask.shape == (1, 104, 128) and heat.shape == (1, 104, 128, 3)


def test_heat_lies_over_the_picture_or_on_grey(scene):
    image = scene[3]
    over, grey = find(scene, "red circle", image=image)[1], find(scene, "red circle")[1]
    corner = (slice(None), slice(None, 8), slice(-8, None))
    assert (over[corner] - image[corner]).abs().max() < 0.15 and (grey[corner] - 0.5).abs().max() < 0.15
    assert (over[0, 60, 36] - image[0, 60, 36]).abs().max() > 0.3


@pytest.mark.parametrize(
    ("changes", "other"),
    [
        ({"threshold": "log_mean"}, {"threshold": "log_mean", "lambda": 1.0}),
        ({"threshold": "quantile"}, {"threshold": "quantile", "quantile": 0.9}),
        ({"threshold": "absolute"}, {"threshold": "absolute", "fraction": 0.7}),
    ],
)
def test_every_threshold_has_its_own_level(scene, changes, other):
    wide, narrow = find(scene, "red circle", **changes)[0], find(scene, "red circle", **other)[0]
    assert (narrow <= wide).all() and narrow.sum() < wide.sum()


def test_softness_refine_blocks_levels_and_seed_act(scene):
    plain = find(scene, "red circle")[0]
    soft = find(scene, "red circle", softness=1.0)[0]
    assert ((soft > 0) & (soft < 1)).any() and torch.equal(plain.unique(), torch.tensor([0.0, 1.0]))
    for changes in ({"refine": 0}, {"blocks": "in.1, out.4-5"}, {"levels": 1}, {"seed": 3}, {"start_percent": 0.2}):
        assert not torch.equal(find(scene, "red circle", **changes)[0], plain), changes


def test_a_running_generation_gives_the_same_kind_of_mask(scene):
    from pack.nodes.masks import AttentionCapture, MaskFromAttentionMaps

    model, conditioning, *_ = scene
    given = defaults(AttentionCapture, phrase="red circle\nblue star")
    patched, maps = AttentionCapture.execute(model, **given).result
    latent, empty = torch.zeros(1, 4, 16, 16), [[torch.zeros(1, 77, conditioning[0][0].shape[2]), {}]]
    plain, samples = (sample(m, latent, conditioning, empty, steps=8, cfg=1.0) for m in (model, patched))
    assert torch.equal(plain, samples)
    read = defaults(MaskFromAttentionMaps, phrase="red circle", combine="each")
    mask, heat, presence, _ = MaskFromAttentionMaps.execute(maps=maps, latent={"samples": samples}, **read).result
    both = MaskFromAttentionMaps.execute(maps=maps, latent={"samples": samples}, **{**read, "phrase": ""}).result[0]
    assert mask.shape == (1, 128, 128) and heat.shape == (1, 128, 128, 3) and 0 < presence < 1
    assert both.shape == (2, 128, 128) and torch.equal(both[:1], mask)
    with pytest.raises(ValueError, match=r"size \[1, 4, 8, 8\]; those captured are \[1, 4, 16, 16\]"):
        MaskFromAttentionMaps.execute(maps=maps, latent={"samples": torch.zeros(1, 4, 8, 8)}, **read)
    plain, unread = AttentionCapture.execute(model, **{**given, "self_attention": False}).result
    samples = sample(plain, latent, conditioning, empty, steps=8, cfg=1.0)
    with pytest.raises(ValueError, match="Refinement needs self-attention, which Attention Capture records only with"):
        MaskFromAttentionMaps.execute(maps=unread, latent={"samples": samples}, **read)
    as_it_is = [
        MaskFromAttentionMaps.execute(maps=m, latent={"samples": samples}, **{**read, "refine": 0})
        for m in (maps, unread)
    ]
    assert torch.equal(as_it_is[0][0], as_it_is[1][0])
    with pytest.raises(ValueError, match="'zebra' was not captured; captured are: red circle, blue star, red"):
        MaskFromAttentionMaps.execute(maps=maps, latent={"samples": samples}, **{**read, "phrase": "zebra"})


def test_refinement_acts_in_transformers_and_is_told_where_the_model_shows_no_self_attention(comfy, caplog):
    from pack.nodes.masks import SubjectMaskFromAttention as Node

    def masks(family, **changes):
        given, latent = defaults(Node, phrase="red dog", always_mask=True, **changes), family.latent(1, 8, 12)
        prompt = family.conditioning()
        return Node.execute(model=family.model(), conditioning=prompt, latent={"samples": latent}, **given).result[0]

    for family in (FAMILIES["flux"], FAMILIES["wan"]):
        assert masks(family).shape == (1, 64, 96) and not torch.equal(masks(family), masks(family, refine=0))
        assert not caplog.records
    unseen = REACH["wan_animate2"]
    if unseen.known:
        assert masks(unseen).shape == (1, 64, 96) and "Its masks are not refined by self-attention" in caplog.text
        caplog.clear()
        masks(unseen, refine=0)
        assert not caplog.records


def test_schemas(comfy):
    from pack.nodes.masks import NODES

    ids = [node.GET_SCHEMA().node_id for node in NODES]
    assert ids == ["LM_SubjectMaskFromAttention", "LM_AttentionCapture", "LM_MaskFromAttentionMaps"]
    for node in NODES:
        schema = node.GET_SCHEMA()
        assert schema.category == "latent manipulation/masks" and schema.description and schema.search_aliases
        assert all(given.tooltip for given in [*schema.inputs, *schema.outputs])
        widgets = [given for given in schema.inputs if getattr(given, "default", None) is not None]
        assert len([given for given in widgets if not given.advanced]) <= 4
