"""Edit concepts beside IP-Adapter, which takes the positions of a batch for 0 = positive, 1 = negative and no other."""

import pytest
import torch
from pack.tests import tiny_adapter
from pack.tests.patches.beside import state, watch
from pack.tests.patches.guiding import Rows, Source, agree, concept, edit, paint
from pack.tests.patches.placing import place, region
from pack.tests.tiny_models import FAMILIES

SD15 = FAMILIES["sd15"]
ADAPTERS = {"double": tiny_adapter.double, "real": tiny_adapter.real}


@pytest.fixture(params=ADAPTERS)
def adapter(request, comfy):
    if request.param == "real":
        tiny_adapter.real_pack()
    return ADAPTERS[request.param]


def beach(**options):
    return concept(family=SD15, threshold=0.0, **options)


def draw(model, **options):
    return paint(model, SD15, **{"steps": 3, **options})


def test_a_fourth_position_breaks_it(adapter):
    """What the mapping is for: a hook that appends conditionings. (The real pack knows a third, for CosXL.)"""
    with pytest.raises(IndexError):
        draw(Source(beach(), beach()).on(adapter(SD15.model()), SD15.conditioning()))


@pytest.mark.parametrize("how", [{}, {"cfg": 1.0}, {"batch": 2, "size": (17, 13)}])
def test_a_concept_has_the_image_of_the_prompt(adapter, how):
    """Each concept alone at position 0 of a model call of its own is the reference."""
    alone = adapter(SD15.model(), weight=0.8)
    source = Source(beach(), beach(start=0.3), outside="off")
    source.apart = True
    explicit, plain = draw(source.on(alone, SD15.conditioning()), **how), draw(alone, **how)
    first = adapter(edit(SD15.model(), beach(), beach(start=0.3)), weight=0.8)
    last = edit(alone, beach(), beach(start=0.3))
    before = state(first), state(last), state(alone)
    out = draw(last, **how)
    assert agree(out, explicit, plain)
    assert torch.equal(draw(first, **how), out) and torch.equal(draw(last, **how), out)
    assert torch.equal(draw(edit(alone, beach(scale=0.0)), **how), plain)
    assert (state(first), state(last), state(alone)) == before


def test_one_call_for_all_and_the_others_keep_their_sides(adapter):
    rows, seen = Rows(), []
    patched = edit(adapter(rows.on(SD15.model())), beach(start=0.4))

    def note(n, context, value, options):
        if options["block"] == ("middle", 0):
            seen.append(sorted(options["cond_or_uncond"]))
        return n, context, value

    patched.set_model_attn2_patch(note)
    draw(patched, steps=4)
    assert rows.chunks == [2, 2, 3, 3]
    assert seen == [[0, 1], [0, 1], [0, 0, 1], [0, 0, 1]]


def test_with_regions_and_maps_and_ledits(adapter):
    def base(model, **settings):
        return edit(model, concept(family=SD15, threshold=0.5), **settings)

    for settings in ({}, {"mask": "ledits"}):
        alone = place(adapter(SD15.model()), region())
        one = draw(base(watch(alone)[0], **settings))
        assert torch.equal(one, draw(place(adapter(base(SD15.model(), **settings)), region())))
        assert (one - draw(alone)).abs().max() > 1e-2 * one.abs().max()


def test_two_transformer_blocks_of_sdxl(comfy):
    sdxl = FAMILIES["sdxl"]
    alone = tiny_adapter.double(sdxl.model(), keys=tiny_adapter.SDXL_KEYS)
    one = concept(family=sdxl, threshold=0.0)
    source = Source(one)
    source.apart = True
    explicit, plain = paint(source.on(alone, sdxl.conditioning()), sdxl), paint(alone, sdxl)
    assert agree(paint(edit(alone, one), sdxl), explicit, plain)
