"""Edit Concept and Semantic Guidance as the frontend calls them."""

import re

import pytest
import torch
from pack.tests.patches.guiding import concept, edit, paint
from pack.tests.tiny_models import FAMILIES

SD1 = FAMILIES["sd1"]


def defaults(node, **changes):
    """Values of the node's widgets, as the frontend would send them."""
    given = {i.id: i.default for i in node.GET_SCHEMA().inputs if getattr(i, "default", None) is not None}
    return {**given, **changes}


def edit_concept(text="a green beach", **changes):
    from pack.nodes.concepts import EditConcept as Node

    return Node.execute(**defaults(Node, **{"conditioning": SD1.conditioning(text), **changes})).result[0]


def guidance(concepts, model=None, **changes):
    from pack.nodes.concepts import SemanticGuidance as Node

    return Node.execute(**defaults(Node, model=model or SD1.model(), concepts=concepts, **changes)).result


def test_defaults_are_the_source_s_but_for_the_threshold(comfy):
    from pack.nodes.concepts import EditConcept, SemanticGuidance
    from pack.patches.run.concepts import Concept
    from pack.patches.semantic import SemanticSettings

    assert defaults(EditConcept) == dict(
        direction="add", scale=5.0, threshold=0.0, start_percent=0.2, end_percent=1.0, weight=1.0, how="guidance"
    )
    given = defaults(SemanticGuidance)
    assert (given["momentum_scale"], given["momentum_beta"]) == (0.1, 0.4)
    assert (given["mask_mode"], given["normalise"], given["outside_window"]) == ("sega", "source", "off")
    assert given["rescale_phi"] == 0 and given["orthogonal"] is False
    assert (given["against"], given["keep"]) == ("auto", "")
    conditioning = SD1.conditioning("a green beach")
    assert edit_concept(conditioning=conditioning, threshold=0.9) == (Concept(conditioning),)
    one = paint(guidance(edit_concept(threshold=0.9))[0])
    assert torch.equal(one, paint(edit(SD1.model(), concept(start=0.2)), steps=4)) and SemanticSettings().phi == 0


def test_every_widget_reaches_the_concept(comfy):
    first = edit_concept()
    mask = torch.ones(1, 8, 8)
    given = dict(
        direction="remove", scale=7.0, threshold=0.5, start_percent=0.1, end_percent=0.8, weight=0.5, how="attention"
    )
    both = edit_concept("a cat", concepts=first, mask=mask, **given)
    assert both[0] is first[0] and len(both) == 2
    last = both[1]
    assert (last.remove, last.scale, last.threshold, last.weight) == (True, 7.0, 0.5, 0.5)
    assert (last.window.start, last.window.end) == (0.1, 0.8) and torch.equal(last.mask, mask)
    assert (first[0].how, last.how) == ("guidance", "attention")


SETTINGS = [dict(mask_mode=name) for name in ("joint", "ledits", "none")]
SETTINGS += [dict(momentum_scale=0.9), dict(momentum_beta=0.9), dict(outside_window="source"), dict(normalise="always")]
SETTINGS += [dict(rescale_phi=1.0), dict(orthogonal=True), dict(against="prompt"), dict(keep="red dog")]


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_changes_the_picture(comfy, settings):
    how = {"threshold": 0.9, "end_percent": 0.9}
    concepts = edit_concept("a cat", concepts=edit_concept(scale=8.0, threshold=0.9), start_percent=0.4, **how)
    base, changed = (paint(guidance(concepts, **given)[0], steps=6) for given in ({}, settings))
    assert torch.isfinite(changed).all() and not torch.equal(base, changed)


OFF = [dict(scale=0.0), dict(weight=0.0), dict(start_percent=0.5, end_percent=0.5), dict(mask=torch.zeros(1, 8, 8))]


@pytest.mark.parametrize("off", OFF)
def test_a_concept_that_is_off_is_the_unpatched_picture(comfy, off):
    assert torch.equal(paint(guidance(edit_concept(**off))[0]), paint(SD1.model()))
    on = paint(guidance(edit_concept())[0])
    assert torch.equal(paint(guidance(edit_concept("a cat", concepts=edit_concept(), **off))[0]), on)


def test_the_model_that_goes_in_stays_as_it_is(comfy):
    model = SD1.model()
    before = paint(model)
    patched, _ = guidance(edit_concept(), model)
    assert not torch.equal(paint(patched), before) and torch.equal(paint(model), before)


@pytest.mark.parametrize("name", ["area", "mask", "control", "hooks", "reference_latents", "start_percent"])
def test_a_concept_that_is_more_than_a_text_is_refused(comfy, name):
    ((text, options),) = SD1.conditioning("a green beach")
    with pytest.raises(ValueError, match=f"brings its own {name}"):
        edit_concept(conditioning=[[text, {**options, name: object()}]])


def test_several_texts_in_one_or_too_many_concepts_are_refused(comfy):
    with pytest.raises(ValueError, match="has 2 entries"):
        edit_concept(conditioning=2 * SD1.conditioning("a green beach"))
    with pytest.raises(ValueError, match="16 concepts at most"):
        edit_concept(concepts=16 * edit_concept())


@pytest.mark.parametrize("scheduler", ["simple", "normal", "karras", "beta"])
def test_the_tooltip_s_percents_leave_out_10_of_50_steps(comfy, scheduler):
    import comfy.samplers
    from pack.nodes.concepts import EditConcept
    from pack.patches.run.window import Window

    tip = next(i.tooltip for i in EditConcept.define_schema().inputs if i.id == "start_percent")
    said = re.search(rf"([\d.]+) on (?:\w+ and )?{scheduler}|{scheduler} .*?([\d.]+) on", tip)
    start = float(said[1] or said[2])
    sampling = SD1.model().get_model_object("model_sampling")
    sigmas = comfy.samplers.calculate_sigmas(sampling, scheduler, 50)[:-1]
    assert [Window(start).contains(float(sigma), sampling) for sigma in sigmas] == [False] * 10 + [True] * 40
