"""Concepts that act by attention in transformers, with text and picture in one attention or apart."""

import pytest
import torch
from pack.tests.patches.guiding import Rows, concept, edit, paint
from pack.tests.patches.placing import place, region
from pack.tests.reach import REACH
from pack.tests.tiny_models import FAMILIES

every = pytest.mark.parametrize("name", ["wan", "flux", "chroma", "sd3", "sd35", "qwen_image", "lumina2", "z_image"])


def inside(name, text="a green beach", **options):
    return concept(text, FAMILIES[name], how="attention", **options)


@every
def test_it_acts_without_a_row_and_twice_alike(comfy, name):
    family, rows = FAMILIES[name], Rows()
    patched = edit(rows.on(family.model()), inside(name), inside(name, "at night", remove=True))
    out = paint(patched, family, cfg=1.0, steps=2)
    assert rows.chunks == [1, 1]
    assert out.isfinite().all() and not torch.equal(out, paint(family.model(), family, cfg=1.0, steps=2))
    assert torch.equal(paint(patched, family, cfg=1.0, steps=2), out)


@every
def test_off_is_exact(comfy, name):
    family = FAMILIES[name]
    plain = paint(family.model(), family, steps=2)
    for off in ({"scale": 0.0}, {"weight": 0.0}, {"mask": torch.zeros(1, 8, 8)}, {"start": 0.5, "end": 0.501}):
        assert torch.equal(paint(edit(family.model(), inside(name, **off)), family, steps=2), plain)


@every
def test_a_removed_text_that_the_prompt_does_not_hold(comfy, name):
    """Equal to the neutral text, it has no direction."""
    family = FAMILIES[name]
    ours = paint(edit(family.model(), inside(name, "blurry", remove=True)), family, steps=2)
    assert torch.allclose(ours, paint(family.model(), family, steps=2), atol=1e-4)


@pytest.mark.parametrize("name", ["wan", "flux", "z_image"])
def test_a_picture_does_not_depend_on_its_neighbours(comfy, name):
    family = FAMILIES[name]
    patched = edit(family.model(), inside(name))
    assert torch.allclose(paint(patched, family, batch=2, steps=2)[:1], paint(patched, family, steps=2), atol=1e-4)


@pytest.mark.parametrize("name", ["wan", "flux", "sd3"])
def test_beside_regions(comfy, name):
    family = FAMILIES[name]
    alone, placed = (edit(family.model(), inside(name)), place(family.model(), region("dog")))
    both = paint(place(alone, region("dog")), family, steps=2)
    assert both.isfinite().all()
    assert all(not torch.equal(both, paint(one, family, steps=2)) for one in (alone, placed))


def test_what_cannot_be_reached_is_refused(comfy):
    family = REACH["pixart"]
    with pytest.raises(
        ValueError, match="^A concept cannot act by attention in a model of the kind PixArtMS: its atten"
    ):
        edit(family.model(), concept(family=family, how="attention"))
