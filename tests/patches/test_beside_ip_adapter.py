"""Regions and capture beside IP-Adapter: what it adds to the text's attention stays, whichever node comes first."""

import pytest
import torch
from pack.tests import tiny_adapter
from pack.tests.patches.beside import off, paint, state, told, watch
from pack.tests.patches.placing import Explicit, close, place, region
from pack.tests.tiny_models import FAMILIES

SD15 = FAMILIES["sd15"]
HALF = torch.zeros(1, 24, 24)
HALF[:, :, :10] = 1


def draw(model, **options):
    return paint(model, SD15, **{"size": (12, 12), **options})


def replaces(model):
    return model.model_options["transformer_options"]["patches_replace"]["attn2"]


class ExplicitWithImages(Explicit):
    """The reference's text attention, and the image branches as they stand in the replaces of the model."""

    def on(self, model):
        theirs, patched = replaces(model), super().on(model)
        for key in set(theirs) & set(replaces(patched)):
            patched.set_model_attn2_replace(self._with(theirs[key]), *key)
        return patched

    def _with(self, theirs):
        def attend(q, k, v, extra_options):
            return self.attend(q, k, v, extra_options) + images(theirs, q, extra_options)

        return attend


def images(theirs, q, extra_options):
    """The sum of what a replace adds to the text's attention, without that attention."""
    if isinstance(theirs, tiny_adapter.Replace):
        return sum(part(q, extra_options) for part in theirs.parts)
    branches = zip(theirs.callback, theirs.kwargs, strict=True)
    return sum(branch(q, q, q, q, extra_options, **kwargs) for branch, kwargs in branches)


def real(model, **options):
    return tiny_adapter.real(model, **options)


def two(model, adapter):
    return adapter(adapter(model, weight=0.8), seed=1, weight=0.6)


ADAPTERS = {"double": tiny_adapter.double, "real": real}
CASES = {
    "one": (lambda model, adapter: adapter(model, weight=0.8), {}),
    "two": (two, {}),
    "batch": (lambda model, adapter: adapter(model), {"batch": 2, "size": (17, 13)}),
    "CFG 1": (lambda model, adapter: adapter(model), {"cfg": 1.0, "size": (13, 17)}),
}


@pytest.fixture(params=ADAPTERS)
def adapter(request, comfy):
    if request.param == "real":
        tiny_adapter.real_pack()
    return ADAPTERS[request.param]


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_biased_and_the_images_are_added_in_both_orders(adapter, name):
    node, how = CASES[name]
    model = SD15.model()
    before, alone = state(model), node(model, adapter)
    first, last = node(place(model, region()), adapter), place(alone, region())
    beside = state(first), state(last)
    plain, explicit = draw(alone, **how), draw(ExplicitWithImages(told(SD15)).on(alone), **how)
    out = draw(first, **how)
    assert close(out, explicit, plain)
    assert (plain - draw(model, **how)).abs().max() > 1e-2 * plain.abs().max(), "the images change nothing here"
    assert torch.equal(draw(last, **how), out)
    assert torch.equal(draw(last, **how), out), "the second run differs"
    assert (state(first), state(last), state(model)) == (*beside, before)
    for neutral in (node(off(model)[0], adapter), off(alone)[0]):
        assert torch.equal(draw(neutral, **how), plain)


def test_a_mask_of_the_image(adapter):
    masked = {"real": "attn_mask"}.get(adapter.__name__, "mask")
    alone = adapter(SD15.model(), **{masked: HALF})
    how = {"batch": 2, "size": (17, 13)}
    out = draw(place(alone, region()), **how)
    assert close(out, draw(ExplicitWithImages(told(SD15)).on(alone), **how), draw(alone, **how))
    assert not torch.equal(out, draw(place(adapter(SD15.model()), region()), **how))


def test_the_replaces_are_the_packs_own_objects_and_stay_as_they_are(adapter):
    alone = adapter(SD15.model())
    placed = watch(place(alone, region()))[0]
    mine, theirs = replaces(placed), replaces(alone)
    before = _contents(theirs)
    out = draw(placed)
    assert all(mine[key] is theirs[key] for key in theirs)
    assert _contents(theirs) == before
    again = adapter(placed, seed=1)  # behind a finished run it finds its own objects, not something of ours
    assert not torch.equal(draw(again), out)


def _contents(replaces):
    return {key: {name: list(value) for name, value in vars(replace).items()} for key, replace in replaces.items()}


def test_maps_are_read_in_replaced_blocks_too(adapter):
    """An adapter of weight 0 adds nothing, so the maps are those without it."""
    model = SD15.model()
    read = []
    for patched in (model, adapter(model, weight=0.0), adapter(model)):
        watched, maps = watch(patched)
        draw(watched)
        read.append(maps.runs[0])
    none, silent, loud = (run.layers for run in read)
    assert len(none) == 16 and none.keys() == silent.keys() == loud.keys()
    assert all(torch.allclose(silent[block], none[block], atol=1e-6) for block in none)
    assert not any(torch.equal(loud[block], none[block]) for block in list(none)[1:])
    assert torch.allclose(read[0].self_attention, read[1].self_attention, atol=1e-6)


@pytest.mark.parametrize("kind", ["style transfer", "composition", "style transfer precise"])
def test_weight_types_of_the_real_pack_that_leave_blocks_out(comfy, kind):
    alone = tiny_adapter.real(SD15.model(), weight_type=kind)
    out = draw(place(alone, region()))
    assert close(out, draw(ExplicitWithImages(told(SD15)).on(alone)), draw(alone))
    assert torch.equal(draw(off(alone)[0]), draw(alone))


@pytest.mark.parametrize("window", [(0.0, 0.3), (0.6, 1.0)])
def test_a_window_of_the_real_pack(comfy, window):
    """At steps outside, its replaces give the text's attention alone."""
    alone = tiny_adapter.real(SD15.model(), start_at=window[0], end_at=window[1])
    out = draw(place(alone, region()))
    assert torch.equal(
        out, draw(tiny_adapter.real(place(SD15.model(), region()), start_at=window[0], end_at=window[1]))
    )
    assert torch.equal(draw(off(alone)[0]), draw(alone))
    assert not torch.equal(out, draw(alone))


@pytest.mark.parametrize("key", ["first", "last"])
def test_replaces_of_the_two_transformer_blocks_of_sdxl(comfy, key):
    sdxl = FAMILIES["sdxl"]
    keys = tiny_adapter.SDXL_KEYS[:4] if key == "first" else tiny_adapter.SDXL_KEYS[4:]
    alone = tiny_adapter.double(sdxl.model(), keys=keys)
    out = paint(place(alone, region()), sdxl)
    first = tiny_adapter.double(place(sdxl.model(), region()), keys=keys)
    assert torch.equal(out, paint(first, sdxl))
    assert torch.equal(paint(off(alone)[0], sdxl), paint(alone, sdxl))
    assert (out - paint(alone, sdxl)).abs().max() > 1e-2 * out.abs().max()
