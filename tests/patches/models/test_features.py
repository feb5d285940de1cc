"""Which sites a text or a preset names, in the models of the host."""

import pytest
import torch
from pack.patches.models.features import PRESETS, SOURCE, site_weights
from pack.patches.models.reach import places_of
from pack.tests.tiny_models import FAMILIES


def sites(text="", preset="all", family="sd15"):
    return site_weights(text, preset, places_of(FAMILIES[family].model()))


def test_a_list(comfy):
    assert sites("in.3:0.1, mid:0.05, out.5-8:0.2, skip.4:0.1") == {
        "in.3": 0.1,
        "mid.0": 0.05,
        **dict.fromkeys(("out.5", "out.6", "out.7", "out.8"), 0.2),
        "skip.4": 0.1,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in.3", {"in.3": 1.0}),
        ("MID : -.5\n out.0:+1e-2,", {"mid.0": -0.5, "out.0": 0.01}),
        ("skip.2 - 3 : 1.", {"skip.2": 1.0, "skip.3": 1.0}),
        ("in.0-1:2", {"in.0": 2.0, "in.1": 2.0}),
        ("in", {f"in.{i}": 1.0 for i in range(1, 12)}),  # all that source 001 may infuse
        ("out:0.3", {f"out.{i}": 0.3 for i in range(12)}),
        ("out:0.3, out.2:0", {f"out.{i}": 0.3 for i in range(12) if i != 2}),
        ("mid.0:0", {}),
    ],
)
def test_spellings(comfy, text, expected):
    assert sites(text) == expected


@pytest.mark.parametrize(
    "part",
    ["in.12", "out.5-12", "mid.1", "in.8-5", "attn.3", "in.3=1", "in.3:x", "in.3:1.2.3", "0.1x", "in.3:nan", ":1"],
)
def test_a_part_that_is_no_site_is_answered_with_those_there_are(comfy, part):
    known = r"in\.0-11, mid, out\.0-11, skip\.0-11"
    with pytest.raises(
        ValueError, match=rf"is no site of this model; it has {known}, each with a weight as in '[^']*'\.$"
    ):
        sites(f"in.1, {part}")
    with pytest.raises(ValueError, match=r"it has in\.0-3, mid, out\.0-3, skip\.0-3,"):
        sites("in.4", family="sd1")


def test_thirteen_numbers_of_the_source(comfy):
    numbers = [i / 10 for i in range(1, 14)]
    given = sites(" ".join(map(str, numbers)))
    assert given == sites(", ".join(map(str, numbers)))
    main = ["in.3", "in.6", "in.9", "in.11", "mid.0", "out.2", "out.5", "out.8", "out.11"]
    assert [given[site] for site in main] == numbers[:9]
    assert [given[f"skip.{i}"] for i in range(1, 12)] == [1.0] * 3 + [1.1] * 3 + [1.2] * 3 + [1.3] * 2
    assert len(given) == 20 == sum(map(len, SOURCE))
    assert sites("-0.5" + " 0" * 12) == {"in.3": -0.5}


@pytest.mark.parametrize(
    ("text", "family"), [("0.1 0.2", "sd15"), ("0.1", "sd15"), ("1," * 14, "sd15"), ("1 " * 13, "sdxl")]
)
def test_another_number_of_numbers_is_refused(comfy, text, family):
    count = len(text.replace(",", " ").split())
    with pytest.raises(
        ValueError, match=rf"^{count} numbers were given as site weights; .*name the sites, such as '.*'\.$"
    ):
        sites(text, family=family)


def test_presets_are_the_places_of_the_source(comfy):
    main = [names[0] for names in SOURCE[:9]]
    skips = [site for names in SOURCE[9:] for site in names]
    assert sites(preset="all") == dict.fromkeys(main + skips, 1.0)
    assert sites(preset="down path") == dict.fromkeys(main[:4], 1.0)
    assert sites(preset="middle") == {"mid.0": 1.0}
    assert sites(preset="up path") == dict.fromkeys(main[5:], 1.0)
    assert sites(" , \n", preset="skips") == dict.fromkeys(skips, 1.0)


@pytest.mark.parametrize("family", ["sd1", "sd15", "sd2_v", "sdxl"])
@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_real_sites_of_every_unet(comfy, family, preset):
    model = FAMILIES[family].model()
    chosen, network = sites(preset=preset, family=family), model.model.diffusion_model
    counts = {
        "in": len(network.input_blocks),
        "mid": 1,
        "out": len(network.output_blocks),
        "skip": len(network.input_blocks),
    }
    assert chosen and all(int(site.split(".")[1]) < counts[site.split(".")[0]] for site in chosen)
    ends = {"in": f"in.{counts['in'] - 1}", "mid": "mid.0", "out": f"out.{counts['out'] - 1}", "skip": "skip.1"}
    assert set(chosen) >= {ends[kind] for kind in PRESETS[preset]}


BLOCKS = {"flux": ["double.0", "double.1", "single.0", "single.1"], "sd3": ["joint.0", "joint.1"]}
BLOCKS |= dict.fromkeys(("wan", "lumina2", "qwen_image"), ["double.0", "double.1"])


@pytest.mark.parametrize("family", BLOCKS)
def test_a_transformer_has_its_blocks_by_the_hosts_names(comfy, family):
    blocks = BLOCKS[family]
    kinds = ", ".join(dict.fromkeys(block.split(".")[0] for block in blocks))
    assert sites(kinds, family=family) == sites(family=family) == dict.fromkeys(blocks, 1.0)
    assert sites(f"{blocks[0]}-1:0.1", family=family) == dict.fromkeys(blocks[:2], 0.1)
    with pytest.raises(ValueError, match=rf"'in\.1:0\.1' is no site of this model; it has {blocks[0]}-1.*:0\.1'\.$"):
        sites("in.1:0.1", family=family)
    with pytest.raises(ValueError, match=rf"^13 numbers .* such as '{blocks[0].split('.')[0]}\.1:0\.1'\.$"):
        sites("1 " * 13, family=family)


def test_presets_share_out_a_transformers_blocks(comfy, monkeypatch):
    places = places_of(FAMILIES["flux"].model())
    monkeypatch.setattr(places, "counts", {"double": 19, "single": 38})  # Flux.1's own
    down, middle, up = (places.preset(name) for name in ("down path", "middle", "up path"))
    assert down == ["double.6", "double.12", "double.18", "single.6"] and middle == ["single.12"]
    assert up == ["single.18", "single.25", "single.31", "single.37"] and places.preset("all") == down + middle + up
    with pytest.raises(ValueError, match=r"^This model has no skips; choose another preset, or .*'single\.37:0\.1'\.$"):
        places.preset("skips")


def test_other_models_are_refused_in_one_sentence(comfy):
    model = FAMILIES["flux"].model().clone()
    model.add_object_patch("diffusion_model", torch.nn.Identity())
    with pytest.raises(
        ValueError, match=r"^The features cannot .* the kind Identity: it is not known where .*; use another model\.$"
    ):
        places_of(model)


def test_long_texts_are_read_at_once(comfy):
    with pytest.raises(ValueError, match="is no site"):
        sites("1" * 5000 + "x")
    assert torch.tensor(list(sites("0." + "1" * 50 + " 0" * 12).values())).isfinite().all()
