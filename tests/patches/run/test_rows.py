"""The table of a run's conditionings, from what the host itself makes of them."""

import pytest
import torch
from pack.tests import tiny_control
from pack.tests.tiny_models import FAMILIES

FAMILY = FAMILIES["sd1"]


def entries(**conds):
    """The Entries of a run with these conditionings, on a latent of 17 x 13."""
    import comfy.samplers
    from pack.patches.run.run import Effect, attach

    tables = []

    class Keep(Effect):
        def prepare(self, run):
            tables.append(run.table)

    guider = comfy.samplers.CFGGuider(attach(FAMILY.model(), Keep))
    guider.inner_set_conds(conds)
    latent = FAMILY.latent(1, 17, 13)
    sampler = comfy.samplers.sampler_object("euler")
    guider.set_cfg(1.0)
    guider.sample(torch.randn(latent.shape), latent, sampler, torch.tensor([1.0, 0.0]), disable_pbar=True, seed=1)
    return tables[0]


def said(entry):
    from pack.attention.phrases import words

    return entry.name, entry.tokens, entry.tag and " ".join(words(entry.tag)), entry.area


def test_texts_of_every_list(comfy):
    untracked = [[FAMILY.conditioning("ghost", 154)[0][0], {}]]
    positive = [*FAMILY.conditioning("a cat"), *untracked]
    table = entries(positive=positive, negative=FAMILY.conditioning("fog", 231), middle=FAMILY.conditioning("a dog"))
    assert sorted(map(said, table.values()), key=str) == [
        ("middle", 77, "a dog", None),
        ("negative", 231, "fog", None),
        ("positive", 154, None, None),
        ("positive", 77, "a cat", None),
    ]
    assert [entry.negative for entry in table.values()] == [entry.name == "negative" for entry in table.values()]
    assert all(key == (entry.name, entry.uuid) == entry.key for key, entry in table.items())


def test_a_copied_area_has_the_words_of_the_list_it_is_in(comfy):
    """Two areas; the host copies both to the other list with their uuids and tags, and puts its text in."""
    import nodes

    areas = [
        nodes.ConditioningSetArea().append(FAMILY.conditioning("a cat"), 48, 64, 16, 24, 1.0)[0],
        nodes.ConditioningSetAreaPercentage().append(FAMILY.conditioning("a bird"), 0.5, 1.0, 0.5, 0.0, 1.0)[0],
    ]
    table = entries(
        positive=[*areas[0], *areas[1], *FAMILY.conditioning("a beach")], negative=FAMILY.conditioning("fog")
    )
    assert sorted(map(said, table.values()), key=str) == [
        ("negative", 77, "fog", (17, 6, 0, 6)),
        ("negative", 77, "fog", (8, 6, 3, 2)),
        ("negative", 77, "fog", None),
        ("positive", 77, "a beach", None),
        ("positive", 77, "a bird", (17, 6, 0, 6)),
        ("positive", 77, "a cat", (8, 6, 3, 2)),
    ]
    shared = [entry.uuid for entry in table.values() if entry.area]
    assert len(shared) == 4 and len(set(shared)) == 2


def test_a_control_on_one_side_only(comfy):
    """The deprecated ControlNetApply has the host put the control on the negative too."""
    import nodes

    (positive,) = nodes.ControlNetApply().apply_controlnet(
        FAMILY.conditioning("a cat"), tiny_control.controlnet(), torch.rand(1, 136, 104, 3), 1.0
    )
    table = entries(positive=positive, negative=FAMILY.conditioning("fog"))
    assert sorted(map(said, table.values()), key=str) == [
        ("negative", 77, "fog", None),
        ("positive", 77, "a cat", None),
    ]


def test_find(comfy):
    from pack.patches.run.rows import Entry, find

    one, copy, other = (
        Entry(name, uuid, 77, slice(0, 77), None, None) for name, uuid in [("a", 1), ("b", 1), ("b", 2)]
    )
    table = {entry.key: entry for entry in (one, copy, other)}
    assert find(table, "a", 1) is one and find(table, "b", 1) is copy and find(table, "a", 2) is None
    assert find(table, None, 2) is other and find(table, None, 1) is None and find(table, None, 3) is None


@pytest.mark.parametrize(
    ("area", "cells"), [(None, None), ((8, 6, 3, 2), (8, 6, 3, 2)), ((1, 8, 6, 0, 3, 2), (8, 6, 3, 2))]
)
def test_areas_in_as_many_dimensions_as_the_latent_has(comfy, area, cells):
    from pack.patches.run.rows import table

    ((_, entry),) = table({"positive": [{"uuid": 1, "area": area}]}).items()
    assert entry.area == cells and entry.tokens == 0
