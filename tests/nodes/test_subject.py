"""Latent Cache Inject and Injected Masks on TinyScenes: they keep a subject, also one that a phrase names."""

import pytest
import torch
from pack.tests.tiny_models import sample

PROMPT = "a red circle on a beach"


def defaults(node, **changes):
    """Values of the node's widgets, as the frontend would send them."""
    given = {i.id: i.default for i in node.GET_SCHEMA().inputs if getattr(i, "default", None) is not None}
    return {**given, **changes}


@pytest.fixture(scope="module")
def scene(comfy):
    """model, encode, vae, latent of a red circle before bricks, its mask."""
    from pack.demo.model import load
    from pack.demo.scenes import Scene, Thing, render
    from pack.patches.run.track import track_phrases

    model, clip, vae = load()
    clip = track_phrases(clip)
    picture, masks = render(Scene((Thing("circle", "red", False, 84, 44, 26),), "brick wall", "", "and", 5))
    latent = {"samples": vae.encode(torch.from_numpy(picture)[None])}

    def encode(text):
        return clip.encode_from_tokens_scheduled(clip.tokenize(text))

    return model, encode, vae, latent, torch.from_numpy(masks)


def paint(scene, mask=None, denoise=0.8, steps=12, **changes):
    """-> (the maps, the sampler's LATENT)."""
    from pack.nodes.subject import LatentCacheInject

    model, encode, _, latent, _ = scene
    given = {"model": model, "latent": latent, **defaults(LatentCacheInject, **changes)}
    patched, maps = LatentCacheInject.execute(**given, mask=mask).result
    out = sample(patched, latent["samples"], encode(PROMPT), encode(""), steps=steps, cfg=5.0, denoise=denoise)
    return maps, {"samples": out}


def judged(scene, latent):
    """(background, whether a red circle is where it was)."""
    from pack.demo import judge

    (reading,) = judge.read(judge.load(), scene[2].decode(latent["samples"]))
    place = torch.nn.functional.avg_pool2d(scene[4], 8)[0].numpy() > 0.5
    cells = [thing.cells for thing in reading.things if (thing.shape, thing.colour) == ("circle", "red")]
    return reading.background, any((one & place).sum() >= 0.6 * (one | place).sum() for one in cells)


def show(maps, latent):
    from pack.nodes.injected import InjectedMasks

    return InjectedMasks.execute(maps=maps, latent=latent).result[0]


def test_the_subject_stays_and_the_scene_is_new(scene):
    grown = torch.nn.functional.max_pool2d(scene[4], 17, 1, 8)
    assert judged(scene, scene[3]) == ("brick wall", True)
    maps, out = paint(scene, grown, denoise=0.9)
    assert judged(scene, out) == ("beach", True)
    masks = show(maps, out)
    assert masks.shape[1:] == (128, 128) and masks.ndim == 3 and masks.min() >= 0 and masks.max() == 1
    assert (masks[0] - masks[-1]).abs().max() == 0


def test_off_is_img2img(scene):
    plain = sample(scene[0], scene[3]["samples"], scene[1](PROMPT), scene[1](""), steps=12, cfg=5.0, denoise=0.8)
    for changes in ({"strength": 0.0}, {"mask": torch.zeros(1, 128, 128)}):
        maps, out = paint(scene, **changes)
        assert torch.equal(out["samples"], plain)
        assert torch.equal(show(maps, out), torch.zeros(1, 128, 128))


def test_masks_of_a_model_that_has_not_run(scene):
    from pack.patches.run.maps import Maps

    with pytest.raises(ValueError, match="Latent Cache Inject has not run yet; connect its MODEL to the sampler"):
        show(Maps(), scene[3])


def test_a_phrase_finds_the_subject_while_sampling(scene):
    maps, out = paint(scene, phrase="  red circle ", denoise=0.7, start_percent=0.3, end_percent=0.6)
    masks = show(maps, out) > 0.5
    truth = scene[4][0] > 0.5
    assert len(masks) > 1
    best = max(float((mask & truth).sum() / (mask | truth).sum()) for mask in masks)
    assert best > 0.5 and not torch.equal(masks[0], masks[-1])


@pytest.mark.parametrize(
    "changes",
    [
        {"injections": 2},
        {"cache_offset": 0.2},
        {"curve": "fade out"},
        {"seed": 4},
        {"strength": 0.5},
        {"start_percent": 0.3, "end_percent": 0.7},
    ],
)
def test_every_widget_acts(scene, changes):
    plain, out = paint(scene, scene[4], steps=6)[1], paint(scene, scene[4], steps=6, **changes)[1]
    assert not torch.equal(plain["samples"], out["samples"])


def test_the_subject_stands_where_it_is_put(scene):
    """By numbers and by a region; the picture comes along, and its masks say where."""
    from pack.attention.regions import Region
    from pack.nodes.injected import InjectedMasks

    place = Region("", torch.zeros(1, 128, 128))
    place.mask[:, 40:112, 8:80] = 1.0  # 72 of 128, round the middle (44, 76)
    grown = torch.nn.functional.max_pool2d(scene[4], 17, 1, 8)
    wanted = scene[4].roll((32, -40), (1, 2)) > 0.5
    for changes in ({"move_x": -0.3125, "move_y": 0.25}, {"place": (place, place)}):
        maps, out = paint(scene, grown, steps=2, denoise=1.0, **changes)
        shown = InjectedMasks.execute(maps=maps, latent=out, shrink=1.0, image=scene[2].decode(scene[3]["samples"]))
        mask, picture = shown.result[0][0] > 0.5, shown.result[1]
        assert (mask & wanted[0]).sum() / (mask | wanted[0]).sum() > 0.8
        reds = (picture[0, ..., 0] - picture[0, ..., 2] > 0.5) & (picture[0, ..., 1] < 0.3)
        assert (reds & wanted[0]).sum() / (reds | wanted[0]).sum() > 0.8


def test_masks_of_other_nodes_are_checked(scene):
    from pack.nodes.subject import LatentCacheInject

    given = {"model": scene[0], "latent": scene[3], **defaults(LatentCacheInject)}
    with pytest.raises(ValueError, match="not numbers"):
        LatentCacheInject.execute(**given, mask=torch.full((1, 8, 8), float("nan")))
    with pytest.raises(ValueError, match="Convert Image to Mask"):
        LatentCacheInject.execute(**given, mask=torch.ones(1, 8, 8, 3))
    hard = (scene[4] > 0.5).float()
    flat = paint(scene, hard[0] * 2, steps=2)[1]["samples"]
    assert torch.equal(flat, paint(scene, hard, steps=2)[1]["samples"])  # (H, W), and beyond 1


def test_the_two_kinds_of_maps_are_told_apart(scene):
    from pack.nodes.injected import InjectedMasks
    from pack.nodes.masks import AttentionCapture, MaskFromAttentionMaps

    maps, out = paint(scene, scene[4], steps=3)
    with pytest.raises(ValueError, match="do not come from Attention Capture; connect the maps of that node"):
        MaskFromAttentionMaps.execute(maps=maps, latent=out, **defaults(MaskFromAttentionMaps))
    patched, captured = AttentionCapture.execute(scene[0], **defaults(AttentionCapture, phrase="red circle")).result
    samples = sample(patched, scene[3]["samples"], scene[1](PROMPT), scene[1](""), steps=2)
    with pytest.raises(ValueError, match="do not come from Latent Cache Inject; connect the maps of that node"):
        InjectedMasks.execute(maps=captured, latent={"samples": samples})


def test_schemas(comfy):
    from pack.nodes import injected, subject

    nodes = [*subject.NODES, *injected.NODES]
    assert [node.GET_SCHEMA().node_id for node in nodes] == ["LM_LatentCacheInject", "LM_InjectedMasks"]
    for node in nodes:
        schema = node.GET_SCHEMA()
        assert schema.category == "latent manipulation/keep subject" and schema.description and schema.search_aliases
        assert all(given.tooltip for given in [*schema.inputs, *schema.outputs])
        widgets = [given for given in schema.inputs if getattr(given, "default", None) is not None]
        assert len([given for given in widgets if not given.advanced]) <= 4


def test_a_place_without_a_mask_is_refused(scene):
    from pack.attention.regions import Region

    with pytest.raises(ValueError, match="The first region of place, 'red circle', has no mask"):
        paint(scene, scene[4], place=(Region("red circle", None),))
