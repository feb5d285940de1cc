"""Edit Maps to Image, Save Guidance and Load Guidance as the frontend calls them."""

import math
import os

import pytest
import torch
from pack.tests.patches.guiding import concept, guided, paint
from pack.tests.tiny_models import FAMILIES

SD1 = FAMILIES["sd1"]
TEXTS = ("a green beach", "a cat", "red snow", "blue fog")


def edited(count=2, batch=1, **options):
    """LM_MAPS, LATENT and the concepts' names of a run with so many concepts."""
    concepts = [concept(text, threshold=0.9, **options) for text in TEXTS[:count]]
    model, maps = guided(SD1.model(), *concepts)
    return maps, {"samples": paint(model, batch=batch)}


def show(maps, latent, image=None):
    from pack.nodes.edits import EditMapsToImage as Node

    return Node.execute(maps=maps, latent=latent, **({} if image is None else {"image": image})).result


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("batch", [1, 2])
def test_a_panel_per_concept_above_a_legend(comfy, count, batch):
    maps, latent = edited(count, batch)
    picture, masks = show(maps, latent, torch.rand(batch, 128, 96, 3))
    k = math.ceil(256 / (96 * count))
    assert picture.shape[0] == batch and picture.shape[2] == 96 * count * k and picture.shape[1] > 128 * k
    assert masks.shape == (count * batch, 128, 96)
    assert 0 <= picture.min() and picture.max() <= 1 and 0 <= masks.min() and masks.max() <= 1


def test_masks_are_the_edited_share_concept_by_concept(comfy):
    """Threshold .9 keeps 26 of the 256 cells in every step and channel."""
    maps, latent = edited(2, 2)
    _, masks = show(maps, latent)
    assert masks.shape == (4, 128, 128) and torch.allclose(masks.mean((1, 2)), torch.full((4,), 26 / 256), atol=2e-3)
    area = maps.runs[-1].maps
    assert torch.allclose(masks[1, 4::8, 4::8], area[1, 0], atol=0.2) and area.shape == (2, 2, 16, 16)
    assert (
        masks[1] - torch.nn.functional.interpolate(area[1:, :1], size=(128, 128), mode="bilinear")
    ).abs().max() < 1e-6


def test_colour_lies_where_the_mask_is_high_on_the_picture_without_colour(comfy):
    maps, latent = edited(1)
    image = torch.rand(1, 128, 128, 3)
    picture, masks = show(maps, latent, image)
    panel = picture[0, :256, :256][::2, ::2]
    untouched = masks[0] == 0
    grey = image[0].mean(-1, keepdim=True).expand(-1, -1, 3)
    assert untouched.any() and torch.equal(panel[untouched], grey[untouched])
    saturation = panel.amax(-1) - panel.amin(-1)
    assert saturation[masks[0] == masks[0].max()].min() > 0.6
    assert not torch.equal(show(maps, latent)[0], picture)


def test_one_image_serves_the_whole_batch(comfy):
    maps, latent = edited(1, 2)
    image = torch.rand(1, 64, 64, 4)
    assert torch.equal(show(maps, latent, image)[0], show(maps, latent, image.expand(2, -1, -1, -1))[0])


def test_maps_of_another_node_and_of_a_run_without_edits(comfy):
    from pack.patches.run.maps import Cuts, Maps

    maps = Maps()
    with pytest.raises(ValueError, match="Semantic Guidance has edited nothing yet"):
        show(maps, {"samples": SD1.latent()})
    maps.add(Cuts(torch.zeros(1, 16, 16), SD1.latent(), 8))
    with pytest.raises(ValueError, match="do not come from Semantic Guidance"):
        show(maps, {"samples": SD1.latent()})


@pytest.fixture
def folders(comfy, tmp_path, monkeypatch):
    import folder_paths

    for name in ("input", "output"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    return tmp_path


def store(maps, latent):
    from pack.nodes.edits import SaveGuidance as Node

    done = Node.execute(maps=maps, latent=latent, filename_prefix="guidance/edit")
    assert done.ui == {"text": done.result}
    return done.result[0]


def load(file, **options):
    from pack.nodes.edits import LoadGuidance as Node

    return Node.execute(model=SD1.model(), file=file, **{"scale": 1.0, **options}).result[0]


def test_what_was_saved_replays_the_run(folders):
    maps, latent = edited(2, 2)
    file = store(maps, latent)
    assert file.endswith(" [output]") and str(folders) not in file
    again, plain = paint(load(file), batch=2), paint(SD1.model(), batch=2)
    size = plain.abs().max()
    assert (again - latent["samples"]).abs().max() < 1e-4 * size < 1e-2 * size < (again - plain).abs().max()
    assert torch.equal(paint(load(file, scale=0.0), batch=2), plain)


def test_the_latent_says_which_run_is_saved(folders):
    from pack.patches.replay import load_guidance

    model, maps = guided(SD1.model(), concept())
    runs = [{"samples": paint(model, cfg=cfg)} for cfg in (3.0, 6.0)]
    first, second = (load_guidance(store(maps, latent)).edits for latent in runs)
    assert torch.equal(first, maps.runs[0].edits) and torch.equal(second, maps.runs[1].edits)
    assert not torch.equal(first, second)


def test_a_changed_file_is_read_again_and_a_linked_name_is_no_error(folders):
    from pack.nodes.edits import LoadGuidance as Node

    file = store(*edited(1))
    path = folders / "output" / file.removesuffix(" [output]")
    os.utime(path, (1, 1))
    before = Node.fingerprint_inputs(model=None, file=file, scale=1.0)
    os.utime(path, (2, 2))
    assert (before, Node.fingerprint_inputs(model=None, file=file, scale=1.0)) == (1, 2)
    linked = Node.fingerprint_inputs(model=None, file=None, scale=1.0)
    assert linked == Node.fingerprint_inputs(model=None, scale=1.0) == linked


@pytest.mark.parametrize("prefix", ["../x", "//server/share/x", "C:x", "a\0b", "NUL"])
def test_a_bad_prefix_is_refused_before_anything_is_sampled_and_when_linked(folders, prefix):
    from pack.nodes.edits import SaveGuidance as Node

    told = Node.validate_inputs(filename_prefix=prefix)
    assert told.startswith("Save Guidance: ") and told.isprintable()
    with pytest.raises(ValueError, match="^Save Guidance: "):
        Node.execute(*edited(1), filename_prefix=prefix)
    assert Node.validate_inputs(filename_prefix="guidance/edit") is Node.validate_inputs() is True


def test_a_bad_file_is_refused_before_anything_is_sampled(folders):
    from pack.nodes.edits import LoadGuidance as Node

    (folders / "input" / "bad.safetensors").write_bytes(b"bad")
    for name in ("", "missing.safetensors", "//server/share/x.safetensors", "bad.safetensors"):
        assert Node.validate_inputs(file=name).startswith("Load Guidance: ")
    assert Node.validate_inputs(file=store(*edited(1))) is Node.validate_inputs() is True


def test_off_gives_empty_panels_and_a_file_that_changes_nothing(folders):
    plain = paint(SD1.model())
    maps, latent = edited(2, scale=0.0)
    assert torch.equal(latent["samples"], plain)
    picture, masks = show(maps, latent)
    assert masks.shape == (2, 128, 128) and not masks.any() and picture.shape[2] == 256
    assert torch.equal(paint(load(store(maps, latent))), plain)
    model, maps = guided(SD1.model(), concept("red snow", scale=0.0), concept("blue fog"))
    _, masks = show(maps, {"samples": paint(model)})
    assert masks.shape[0] == 2 and not masks[0].any() and masks[1].any()


def test_a_sweep_from_zero_shows_each_run_its_own_maps(comfy):
    from pack.patches.run.maps import Edits

    for scale in (0.0, 2.5, 5.0):
        maps, latent = edited(1, scale=scale)
        assert maps.fit(latent["samples"], Edits).maps.any() == (scale > 0)
        assert show(maps, latent)[0].shape[2] == 256
